using Weft.Storage.Tree;

namespace Weft.Storage.Sqlite;

/// <summary>
/// The file, format 1. Table log: one row a change, in order of its id (revision, place in the commit), so every write appends and every
/// removal is of old pages. "prev" is the revision of the key's change before (0: none), which is all that reading the past needs: there is no
/// index, and a commit touches only the end of the table. A value of NULL is a deletion. Table meta: how far history is compacted.
/// </summary>
internal static class FileFormat
{
    public const int Version = 1;
    private const int ApplicationId = 0x57656674; // "Weft"

    public static void Prepare(Connection connection, string path, SqliteStoreOptions options)
    {
        var application = connection.Execute("PRAGMA application_id") ?? 0;
        var version = connection.Execute("PRAGMA user_version") ?? 0;
        var isNew = application == 0 && version == 0 && connection.Execute("SELECT count(*) FROM sqlite_master") == 0;

        if (!isNew && application != ApplicationId)
            throw new StoreOpenException($"'{path}' is a SQLite file, but not one of Weft: take another data directory, or move the file away");
        if (version > Version)
            throw new StoreOpenException($"'{path}' has format {version}, written by a newer Weft; this one reads up to format {Version}: start the newer version, or move the file away");

        if (isNew)
            connection.Execute("PRAGMA auto_vacuum = INCREMENTAL"); // pages at the end can be given back; must come before the first table
        if (connection.ExecuteText("PRAGMA journal_mode = WAL") != "wal")
            throw new StoreOpenException($"'{path}' is on a file system without shared memory maps, which the write-ahead log needs: take a data directory on a local disk");
        connection.Execute("PRAGMA synchronous = FULL"); // fsync at each commit: an answer means it is on the disk
        connection.Execute("PRAGMA wal_autocheckpoint = 0"); // the checkpointer does it beside the writer
        connection.Execute("PRAGMA secure_delete = FAST"); // zero what is removed where that costs no further write: Secrets
        connection.Execute($"PRAGMA journal_size_limit = {(long)options.MaxLogPages * 4096}");
        if (options.MaxFilePages > 0)
            connection.Execute($"PRAGMA max_page_count = {options.MaxFilePages}");

        if (isNew)
        {
            connection.Execute("BEGIN IMMEDIATE");
            connection.Execute("CREATE TABLE log (id INTEGER PRIMARY KEY, key TEXT NOT NULL, prev INTEGER NOT NULL, created INTEGER NOT NULL, value BLOB)");
            connection.Execute("CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID");
            connection.Execute("INSERT INTO meta VALUES ('compacted', 0), ('removed', 0)");
            connection.Execute($"PRAGMA application_id = {ApplicationId}");
            connection.Execute($"PRAGMA user_version = {Version}");
            connection.Execute("COMMIT");
        }
    }

    /// <summary>Reads the newest state into memory. The last revision is also known from the compaction: its row may have been a deletion that is gone.</summary>
    public static Recovered Load(Connection connection)
    {
        var compacted = connection.Execute("SELECT value FROM meta WHERE name = 'compacted'") ?? 0;
        var edit = new TreeEdit(Node.Empty, TreeEdit.Loading);
        long lastId = 0;

        // From the newest change back: the first of a key is what it is now, and the values of older ones are not even read.
        var seen = new HashSet<string>();
        var seenBySpan = seen.GetAlternateLookup<ReadOnlySpan<char>>();
        var buffer = new char[Keys.MaxLength];
        var rows = connection.Prepare("SELECT id, key, created, value FROM log ORDER BY id DESC");
        while (rows.Step())
        {
            var id = rows.Int64(0);
            lastId = Math.Max(lastId, id);
            var key = rows.Text(1, buffer);
            if (!seenBySpan.Add(key) || rows.IsNull(3))
                continue;

            seenBySpan.TryGetValue(key, out var name);
            edit.Set(new Entry(name!, rows.Blob(3), rows.Int64(2), RowId.RevisionOf(id)));
        }

        rows.Dispose();
        return new Recovered(edit.Root, Math.Max(RowId.RevisionOf(lastId), compacted + 1), compacted);
    }
}
