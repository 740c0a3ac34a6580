using System.Collections.Immutable;
using static Weft.Storage.Tests.StoreWords;

namespace Weft.Storage.Tests;

using State = ImmutableSortedDictionary<string, (string Value, long Created, long Modified)>;

public abstract partial class StoreSuite
{
    /// <summary>WEFT_LONG=1 makes the 8 runs 500.</summary>
    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, Environment.GetEnvironmentVariable("WEFT_LONG") == "1" ? 500 : 8)];

    /// <summary>Random commits, reads of any revision, watches from any revision, compactions and restarts, against a store that is only dictionaries.</summary>
    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task Agrees_with_the_model(int seed)
    {
        var random = new Random(seed);
        var options = new StoreOptions { RecentChanges = random.Next(1, 60) };
        await ReopenAsync(options);
        var model = new Model();
        var watches = new List<(IStoreWatch Watch, string Prefix, long After)>();

        for (var step = 0; step < 250; step++)
        {
            switch (random.Next(20))
            {
                case 0:
                    var to = random.NextInt64(model.Compacted + 1, model.Revision + 1);
                    await Store.CompactAsync(to);
                    model.Compacted = Math.Max(model.Compacted, to - 1);
                    break;
                case 1 when watches.Count < 30:
                    var (prefix, after) = (model.Prefix(random), random.NextInt64(model.Compacted + 1, model.Revision + 1));
                    watches.Add((Store.Watch(prefix, after), prefix, after));
                    break;
                case 2:
                    await CheckWatchesAsync(model, watches);
                    await RestartAsync(options);
                    break;
                case < 8:
                    await CheckReadAsync(model, random);
                    break;
                default:
                    await CheckCommitAsync(model, random);
                    break;
            }

            Assert.Equal((model.Revision, model.Compacted), (Store.Revision, Store.CompactedRevision));
        }

        await CheckWatchesAsync(model, watches);
    }

    private async Task CheckCommitAsync(Model model, Random random)
    {
        var operations = Enumerable.Range(0, random.Next(4) == 0 ? 3 : 1).Select(_ => model.Operation(random)).DistinctBy(op => op.Key).ToArray();
        var expected = model.Commit(operations);
        var result = await Store.CommitAsync(operations);
        Assert.Equal(expected, (result.Succeeded, result.Revision, result.FailedOperation, result.Current?.ModRevision));
    }

    private async Task CheckReadAsync(Model model, Random random)
    {
        var revision = random.NextInt64(0, model.Revision + 1);
        var prefix = model.Prefix(random);
        var limit = random.Next(4);
        var after = random.Next(2) == 0 ? null : model.Key(random);
        if (revision > 0 && revision <= model.Compacted)
        {
            await Assert.ThrowsAsync<CompactedException>(async () => await Store.ListAsync(prefix, revision, limit, after));
            return;
        }

        var state = model.At(revision == 0 ? model.Revision : revision);
        var all = state.Where(pair => pair.Key.StartsWith(prefix, StringComparison.Ordinal) && (after is null || string.CompareOrdinal(pair.Key, after) > 0))
            .Select(pair => (pair.Key, pair.Value.Value, pair.Value.Created, pair.Value.Modified)).ToList();
        var expected = limit == 0 ? all : all.Take(limit).ToList();
        var page = await Store.ListAsync(prefix, revision, limit, after);
        Assert.Equal(expected, page.Entries.Select(entry => (entry.Key, Text(entry), entry.CreateRevision, entry.ModRevision)));
        Assert.Equal(all.Count - expected.Count, page.Remaining);

        var key = model.Key(random);
        var entry = revision == 0 ? Store.Get(key) : await Store.GetAsync(key, revision);
        Assert.Equal(state.TryGetValue(key, out var value) ? value : default, entry is null ? default : (Text(entry), entry.CreateRevision, entry.ModRevision));
        Assert.Equal(model.At(model.Revision).Count(pair => pair.Key.StartsWith(prefix, StringComparison.Ordinal)), Store.Count(prefix));
    }

    private async Task CheckWatchesAsync(Model model, List<(IStoreWatch Watch, string Prefix, long After)> watches)
    {
        foreach (var (watch, prefix, after) in watches)
        {
            var expected = model.Changes(prefix, after);
            try
            {
                Assert.Equal(expected, await watch.TakeAsync(expected.Count));
            }
            catch (CompactedException compacted)
            {
                Assert.True(compacted.Requested <= model.Compacted); // it was compacted away before the watch read it
            }

            await watch.DisposeAsync();
        }

        watches.Clear();
    }

    private sealed class Model
    {
        private static readonly string[] Prefixes = ["", "/a/", "/b/", "/a/x/", "/c/"];
        private static readonly string[] AllKeys = ["/a/1", "/a/2", "/a/x/1", "/a/x/2", "/a/x/3", "/b/1", "/b/2", "/b/3", "/ab"];

        private readonly Dictionary<long, State> _states = new() { [1] = State.Empty.WithComparers(StringComparer.Ordinal) };
        private readonly List<(long Revision, List<(string Key, string Text)> Changes)> _log = [];
        private int _values;

        public long Revision { get; private set; } = 1;

        public long Compacted { get; set; }

        public string Prefix(Random random) => Prefixes[random.Next(Prefixes.Length)];

        public string Key(Random random) => AllKeys[random.Next(AllKeys.Length)];

        public State At(long revision) => _states[revision];

        public Op Operation(Random random)
        {
            var key = Key(random);
            var current = _states[Revision].TryGetValue(key, out var value) ? value.Modified : 0;
            var expect = random.Next(6) switch
            {
                0 => Expect.Absent,
                1 => Expect.At(current),
                2 => Expect.At(random.NextInt64(1, Revision + 1)),
                _ => Expect.Any,
            };
            return random.Next(3) == 0 ? Op.Delete(key, expect) : Op.Put(key, Bytes($"v{_values++}"), expect);
        }

        public (bool Succeeded, long Revision, int Failed, long? Current) Commit(Op[] operations)
        {
            var state = _states[Revision];
            for (var i = 0; i < operations.Length; i++)
            {
                var (expect, exists) = (operations[i].Expect, state.TryGetValue(operations[i].Key, out var there));
                var holds = expect.Kind switch
                {
                    ExpectKind.Absent => !exists,
                    ExpectKind.Revision => (exists ? there.Modified : 0) == expect.Revision,
                    _ => true,
                };
                if (!holds)
                    return (false, 0, i, exists ? there.Modified : null);
            }

            var changes = new List<(string, string)>();
            foreach (var operation in operations)
            {
                var exists = state.TryGetValue(operation.Key, out var there);
                if (operation.Kind == OpKind.Put)
                {
                    var text = System.Text.Encoding.UTF8.GetString(operation.Value.Span);
                    state = state.SetItem(operation.Key, (text, exists ? there.Created : Revision + 1, Revision + 1));
                    changes.Add((operation.Key, $"+{operation.Key}={text}"));
                }
                else if (exists)
                {
                    state = state.Remove(operation.Key);
                    changes.Add((operation.Key, $"-{operation.Key}({there.Value})"));
                }
            }

            if (changes.Count > 0)
            {
                _states[++Revision] = state;
                _log.Add((Revision, changes));
            }

            return (true, Revision, -1, null);
        }

        public List<string> Changes(string prefix, long after) =>
            [.. _log.Where(commit => commit.Revision > after)
                .Select(commit => (commit.Revision, Below: commit.Changes.Where(change => change.Key.StartsWith(prefix, StringComparison.Ordinal)).ToList()))
                .Where(commit => commit.Below.Count > 0)
                .Select(commit => commit.Revision + string.Concat(commit.Below.Select(change => change.Text)))];
    }
}
