"""Writes chinook.ndjson.gz from the Chinook database.

    python3 export.py chinook.sqlite FOLDER

One JSON value a line: for each table its name and its number of rows, and then the rows, with the names that the fields
have in models.go. Tables come after those that they refer to.
"""
import gzip
import json
import os
import sqlite3
import sys

source, folder = sys.argv[1], sys.argv[2]
db = sqlite3.connect(f"file:{source}?mode=ro", uri=True)

address = ("Address", "City", "State", "Country", "PostalCode", "Phone", "Fax", "Email")
tables = [
    ("Genre", {"ID": "GenreId", "Name": "Name"}),
    ("MediaType", {"ID": "MediaTypeId", "Name": "Name"}),
    ("Artist", {"ID": "ArtistId", "Name": "Name"}),
    # Chinook knows the genres of tracks only. An album's is that of its first track.
    ("Album", {"ID": "AlbumId", "Title": "Title", "ArtistID": "ArtistId",
               "GenreID": "(SELECT GenreId FROM Track WHERE Track.AlbumId = Album.AlbumId ORDER BY TrackId LIMIT 1)"}),
    ("Track", {"ID": "TrackId", "Name": "Name", "AlbumID": "AlbumId", "MediaTypeID": "MediaTypeId", "GenreID": "GenreId",
               "Composer": "Composer", "Milliseconds": "Milliseconds", "Bytes": "Bytes", "UnitPrice": "printf('%.2f', UnitPrice)"}),
    ("Playlist", {"ID": "PlaylistId", "Name": "Name"}),
    ("PlaylistTrack", {"PlaylistID": "PlaylistId", "TrackID": "TrackId"}),
    ("Employee", {"ID": "EmployeeId", "LastName": "LastName", "FirstName": "FirstName", "Title": "Title", "ReportsToID": "ReportsTo",
                  "BirthDate": "strftime('%Y-%m-%dT%H:%M:%SZ', BirthDate)", "HireDate": "strftime('%Y-%m-%dT%H:%M:%SZ', HireDate)",
                  **{name: name for name in address}}),
    ("Customer", {"ID": "CustomerId", "FirstName": "FirstName", "LastName": "LastName", "Company": "Company", "SupportRepID": "SupportRepId",
                  **{name: name for name in address}}),
    ("Invoice", {"ID": "InvoiceId", "CustomerID": "CustomerId", "Date": "strftime('%Y-%m-%dT%H:%M:%SZ', InvoiceDate)", "Address": "BillingAddress",
                 "City": "BillingCity", "State": "BillingState", "Country": "BillingCountry", "PostalCode": "BillingPostalCode",
                 "Total": "printf('%.2f', Total)"}),
    ("InvoiceLine", {"ID": "InvoiceLineId", "InvoiceID": "InvoiceId", "TrackID": "TrackId", "UnitPrice": "printf('%.2f', UnitPrice)", "Quantity": "Quantity"}),
]

lines = []
for name, columns in tables:
    rows = db.execute(f"SELECT {', '.join(columns.values())} FROM {name} ORDER BY 1, 2").fetchall()
    lines.append({"table": name, "rows": len(rows)})
    lines += [{field: value for field, value in zip(columns, row) if value is not None} for row in rows]
text = "".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in lines)

# Without a time and a name in its header, the same content gives the same file.
with open(os.path.join(folder, "chinook.ndjson.gz"), "wb") as out:
    with gzip.GzipFile(filename="", fileobj=out, mode="wb", compresslevel=9, mtime=0) as packed:
        packed.write(text.encode())
