using Weft.Storage.Sqlite;

namespace Weft.Storage.Crash;

/// <summary>Writes until there is no space, says so, makes some, and writes again.</summary>
internal static class Filling
{
    public static async Task<int> RunAsync(string path, LineWriter output)
    {
        var ballast = path + ".ballast";
        await File.WriteAllBytesAsync(ballast, new byte[1024 * 1024]);
        await using var store = await SqliteStore.OpenAsync(new SqliteStoreOptions { Path = path }, TimeProvider.System);
        output.Line($"open {store.Revision} {store.CompactedRevision}");
        for (var i = 0; ; i++)
        {
            try
            {
                var result = await store.CommitAsync(new[] { Op.Put($"/fill/{i}", new byte[20_000], Expect.Absent) });
                output.Line($"ack {result.Revision} /fill/{i} -");
            }
            catch (StoreReadOnlyException full)
            {
                // Reads go on, and the conflict of a write that could not be made anyway is still told.
                var reads = (await store.ListAsync("/fill/")).Entries.Count;
                var conflict = await store.CommitAsync(new[] { Op.Put("/fill/0", new byte[1], Expect.Absent) });
                output.Line($"full {reads} {conflict.Succeeded} {store.IsReadOnly} {full.Message}");
                break;
            }
        }

        File.Delete(ballast);
        var again = await store.CommitAsync(new[] { Op.Put("/again", new byte[20_000]) });
        output.Line($"again {again.Revision} {store.IsReadOnly}");
        return 0;
    }
}
