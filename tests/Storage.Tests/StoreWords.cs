using System.Text;

namespace Weft.Storage.Tests;

/// <summary>What the suite needs from a driver: a fresh store, and short words for what tests do with one.</summary>
internal static class StoreWords
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    public static string Text(Entry? entry) => entry is null ? "-" : Encoding.UTF8.GetString(entry.Value.Span);

    public static async Task<long> PutAsync(this IStore store, string key, string value, Expect expect = default)
    {
        var result = await store.CommitAsync(new[] { Op.Put(key, Bytes(value), expect) });
        Assert.True(result.Succeeded);
        return result.Revision;
    }

    public static async Task<long> DeleteAsync(this IStore store, string key, Expect expect = default)
    {
        var result = await store.CommitAsync(new[] { Op.Delete(key, expect) });
        Assert.True(result.Succeeded);
        return result.Revision;
    }

    public static async Task<string[]> KeysAsync(this IStore store, string prefix, long revision = 0) =>
        [.. (await store.ListAsync(prefix, revision)).Entries.Select(entry => entry.Key)];

    /// <summary>The next batches with changes, as "revision+key=value" or "revision-key".</summary>
    public static async Task<List<string>> TakeAsync(this IStoreWatch watch, int batches)
    {
        using var deadline = new CancellationTokenSource(Patience);
        var seen = new List<string>();
        if (batches == 0)
            return seen;

        await foreach (var batch in watch.ReadAsync(deadline.Token))
        {
            if (batch.Changes.Count == 0)
                continue;
            seen.Add(Describe(batch));
            if (seen.Count == batches)
                break;
        }

        return seen;
    }

    public static string Describe(ChangeBatch batch) => batch.Revision + string.Concat(batch.Changes.Select(change =>
        change.Current is null ? $"-{change.Key}({Text(change.Previous)})" : $"+{change.Key}={Text(change.Current)}"));
}

/// <summary>A directory that is gone with the test.</summary>
internal sealed class TempFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("weft-storage-").FullName;

    public string File(string name) => System.IO.Path.Combine(Path, name);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}

/// <summary>Fails, once it is told to, at one point.</summary>
internal sealed class FailAt : IFailPoints
{
    private volatile Func<FailPoint, Exception?>? _failure;

    public int Hits;

    public void When(Func<FailPoint, Exception?>? failure) => _failure = failure;

    public void Hit(FailPoint point)
    {
        if (_failure?.Invoke(point) is { } exception)
        {
            Interlocked.Increment(ref Hits);
            throw exception;
        }
    }
}
