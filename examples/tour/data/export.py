"""Writes catalog.json.gz and sales.csv.gz from the Chinook database.

    python3 export.py chinook.sqlite FOLDER
"""
import csv
import gzip
import io
import json
import os
import sqlite3
import sys

source, folder = sys.argv[1], sys.argv[2]
db = sqlite3.connect(f"file:{source}?mode=ro", uri=True)


def write(name, text):
    # Without a time and a name in its header, the same content gives the same file.
    with open(os.path.join(folder, name), "wb") as out:
        with gzip.GzipFile(filename="", fileobj=out, mode="wb", compresslevel=9, mtime=0) as packed:
            packed.write(text.encode())


albums = db.execute("SELECT AlbumId, Title, Name FROM Album JOIN Artist USING (ArtistId) ORDER BY AlbumId")
tracks = db.execute("""
    SELECT TrackId, t.Name, AlbumId, g.Name, coalesce(Composer, ''), Milliseconds, CAST(round(UnitPrice * 100) AS INTEGER)
    FROM Track t JOIN Genre g USING (GenreId) ORDER BY TrackId""")
write("catalog.json.gz", json.dumps({
    "albums": [dict(zip(("id", "title", "artist"), row)) for row in albums],
    "tracks": [dict(zip(("id", "name", "album_id", "genre", "composer", "milliseconds", "price_cents"), row)) for row in tracks],
}, ensure_ascii=False, separators=(",", ":")))

sales = io.StringIO()
lines = csv.writer(sales, lineterminator="\n")
lines.writerow(("date", "country", "track", "quantity", "price_cents"))
lines.writerows(db.execute("""
    SELECT date(InvoiceDate), BillingCountry, TrackId, Quantity, CAST(round(UnitPrice * 100) AS INTEGER)
    FROM InvoiceLine JOIN Invoice USING (InvoiceId) ORDER BY InvoiceLineId"""))
write("sales.csv.gz", sales.getvalue())
