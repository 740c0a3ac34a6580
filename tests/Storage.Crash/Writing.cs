using System.Text;
using Weft.Storage.Sqlite;

namespace Weft.Storage.Crash;

/// <summary>Writers on their own keys, one on a shared counter, and compactions, as fast as they can, for ever.</summary>
internal static class Writing
{
    private const int Writers = 16;

    public static async Task<int> RunAsync(string path, int seed, IFailPoints failPoints, bool checkpoints, LineWriter output)
    {
        var options = new SqliteStoreOptions
        {
            Path = path,
            FailPoints = failPoints,
            CheckpointPages = checkpoints ? 50 : int.MaxValue,
            MaxLogPages = checkpoints ? 400 : int.MaxValue,
            CompactionStep = 20,
        };
        await using var store = await SqliteStore.OpenAsync(options, TimeProvider.System);
        output.Line($"open {store.Revision} {store.CompactedRevision}");

        var tasks = Enumerable.Range(0, Writers).Select(writer => Task.Run(() => WriteAsync(store, writer, new Random(seed + writer), output)))
            .Append(Task.Run(() => CompactAsync(store)));
        var ended = await Task.WhenAny([.. tasks, store.Failed]);
        // A writer that wrote by itself hears of it before the store has said so.
        output.Line($"failed {(store.Failed.IsCompleted ? (await store.Failed).Message : ended.Exception?.InnerException?.Message)}");
        return 1;
    }

    private static async Task WriteAsync(SqliteStore store, int writer, Random random, LineWriter output)
    {
        for (var i = 0; ; i++)
        {
            var key = $"/w/{writer}/{random.Next(20)}";
            if (random.Next(5) == 0)
            {
                output.Line($"try {key} -");
                var deleted = await store.CommitAsync(new[] { Op.Delete(key) });
                output.Line($"ack {deleted.Revision} {key} -");
                continue;
            }

            // The value names the attempt; the padding makes rows of very different sizes, some with overflow pages.
            var value = $"{writer}.{store.Revision}.{i}";
            var padded = Encoding.UTF8.GetBytes(value + ' ' + new string('x', random.Next(10) == 0 ? 9000 : random.Next(1500)));
            output.Line($"try {key} {value}");
            var result = await store.CommitAsync(new[] { Op.Put(key, padded), Op.Put($"/pair/{writer}", padded) });
            output.Line($"ack {result.Revision} {key} {value}");
        }
    }

    private static async Task CompactAsync(SqliteStore store)
    {
        while (true)
        {
            await store.CompactAsync(Math.Max(1, store.Revision - 50));
            await Task.Delay(TimeSpan.FromMilliseconds(3), TimeProvider.System);
        }
    }
}
