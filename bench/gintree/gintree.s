// This file is empty: it tells the compiler that getValue's body is elsewhere.
