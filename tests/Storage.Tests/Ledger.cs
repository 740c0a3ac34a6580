using static Weft.Storage.Tests.StoreWords;

namespace Weft.Storage.Tests;

/// <summary>What a killed process had begun and what it was told, over all its lives; and whether the store agrees.</summary>
internal sealed class Ledger
{
    private readonly Dictionary<string, string> _acknowledged = [];
    private readonly Dictionary<string, string> _begun = [];
    private readonly List<(long Revision, string Key, string Value)> _acks = [];
    private long _revision = 1;
    private long _compacted;

    public int Acknowledgements => _acks.Count;

    public void Read(IEnumerable<string> lines)
    {
        _begun.Clear();
        _acks.Clear();
        foreach (var line in lines.Select(line => line.Split(' ')))
        {
            switch (line[0])
            {
                case "open":
                    Assert.True(long.Parse(line[1]) >= _revision, "the revision went back");
                    break;
                case "try":
                    _begun[line[1]] = line[2];
                    break;
                case "ack":
                    _begun.Remove(line[2]);
                    _acknowledged[line[2]] = line[3];
                    _acks.Add((long.Parse(line[1]), line[2], line[3]));
                    break;
                default:
                    Assert.Fail(string.Join(' ', line));
                    break;
            }
        }
    }

    /// <summary>No acknowledged write is lost, nothing is there that nobody wrote, revisions did not go back.</summary>
    public async Task CheckAsync(IStore store)
    {
        var highest = _acks.Select(ack => ack.Revision).DefaultIfEmpty(0).Max();
        Assert.True(store.Revision >= Math.Max(highest, _revision), $"revision {store.Revision} is below {highest} or {_revision}");
        Assert.True(store.CompactedRevision >= _compacted);
        (_revision, _compacted) = (store.Revision, store.CompactedRevision);

        foreach (var (key, value) in _acknowledged.ToList())
        {
            var there = Value(store.Get(key));
            Assert.True(there == value || (_begun.TryGetValue(key, out var begun) && there == begun), $"'{key}' is '{there}', acknowledged was '{value}'");
            _acknowledged[key] = there;
        }

        foreach (var entry in (await store.ListAsync("/w/")).Entries)
        {
            if (!_acknowledged.ContainsKey(entry.Key))
                Assert.True(_begun.TryGetValue(entry.Key, out var begun) && begun == Value(entry), $"nobody wrote '{entry.Key}'");
            _acknowledged[entry.Key] = Value(entry);
        }

        await CheckHistoryAsync(store);
    }

    /// <summary>For a log that was damaged on purpose: what is left is a beginning of what was written, without a hole.</summary>
    public async Task CheckBeginningAsync(IStore store)
    {
        foreach (var (revision, key, value) in _acks.Where(ack => ack.Revision > store.CompactedRevision && ack.Revision <= store.Revision))
            Assert.Equal(value, Value(await store.GetAsync(key, revision)));
        await CheckHistoryAsync(store);
    }

    // The state at the oldest readable revision, and all changes since, give the newest state; each revision occurs once.
    private static async Task CheckHistoryAsync(IStore store)
    {
        var oldest = store.CompactedRevision + 1;
        var state = (await store.ListAsync("", oldest)).Entries.ToDictionary(entry => entry.Key);
        await using var watch = store.Watch("", oldest);
        var last = oldest;
        watch.RequestProgress();
        await foreach (var batch in watch.ReadAsync())
        {
            if (batch.Changes.Count == 0)
                break;
            Assert.Equal(++last, batch.Revision);
            foreach (var change in batch.Changes)
            {
                Assert.Equal(state.GetValueOrDefault(change.Key)?.ModRevision, change.Previous?.ModRevision);
                if (change.Current is null)
                    state.Remove(change.Key);
                else
                    state[change.Key] = change.Current;
            }

            // Both puts of a commit, or none.
            if (batch.Changes.Count == 2)
                Assert.Equal(Value(batch.Changes[0].Current), Value(batch.Changes[1].Current));
        }

        Assert.Equal(store.Revision, last);
        var newest = (await store.ListAsync("")).Entries;
        Assert.Equal(newest.Select(entry => (entry.Key, entry.ModRevision, entry.CreateRevision, entry.Value.Length)),
            state.Values.OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => (entry.Key, entry.ModRevision, entry.CreateRevision, entry.Value.Length)));
    }

    private static string Value(Entry? entry) => Text(entry).Split(' ')[0];
}
