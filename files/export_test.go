package files

// Policy is what files are served under.
const Policy = policy
