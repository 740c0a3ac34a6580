using Weft.Storage.Tree;
using static Weft.Storage.Tests.StoreWords;

namespace Weft.Storage.Tests;

public sealed class TreeTests
{
    [Theory]
    [InlineData(1, 300, 50)]
    [InlineData(2, 20_000, 8000)]
    [InlineData(3, 40_000, 500)]
    public void A_tree_is_a_sorted_dictionary_with_ranks_and_free_snapshots(int seed, int steps, int keys)
    {
        var random = new Random(seed);
        var expected = new SortedDictionary<string, long>(StringComparer.Ordinal);
        var root = Node.Empty;
        var kept = new List<(Node Root, List<string> Keys)>();
        long owner = 0;

        for (var step = 0; step < steps;)
        {
            var edit = new TreeEdit(root, ++owner);
            // Growth first, then decay: both splits and merges.
            var removeOdds = step < steps / 2 ? 3 : 7;
            for (var i = random.Next(1, 100); i > 0; i--, step++)
            {
                var key = $"/{random.Next(3)}/{random.Next(keys)}";
                if (random.Next(10) < removeOdds)
                {
                    Assert.Equal(expected.Remove(key, out var old) ? old : null, edit.Remove(key)?.ModRevision);
                }
                else
                {
                    var had = expected.TryGetValue(key, out var old);
                    Assert.Equal(had ? old : null, edit.Set(new Entry(key, Bytes("x"), 1, step))?.ModRevision);
                    expected[key] = step;
                }
            }

            root = edit.Root;
            if (random.Next(steps / 400 + 1) == 0)
                kept.Add((root, [.. expected.Keys]));
        }

        foreach (var (old, oldKeys) in kept)
        {
            var snapshot = new Snapshot(old, 1);
            Assert.Equal(oldKeys, snapshot.List("", 0, null).Entries.Select(entry => entry.Key));
            Assert.Equal(oldKeys.Count(key => key.StartsWith("/1/", StringComparison.Ordinal)), snapshot.Count("/1/"));
        }

        var last = new Snapshot(root, 1);
        Assert.Equal(expected, last.List("", 0, null).Entries.ToDictionary(entry => entry.Key, entry => entry.ModRevision));
        var sorted = expected.Keys.ToList();
        for (var i = 0; i < Math.Min(sorted.Count, 200); i++)
        {
            var at = random.Next(sorted.Count);
            Assert.Equal(expected[sorted[at]], last.Find(sorted[at])!.ModRevision);
            var page = last.List("", 5, sorted[at]);
            Assert.Equal(sorted.Skip(at + 1).Take(5), page.Entries.Select(entry => entry.Key));
            Assert.Equal(Math.Max(0, sorted.Count - at - 6), page.Remaining);
        }
    }

    [Fact]
    public void Emptying_a_tree_leaves_an_empty_one()
    {
        var edit = new TreeEdit(Node.Empty, 1);
        for (var i = 0; i < 10_000; i++)
            edit.Set(new Entry($"{i:00000}", default, 1, 1));
        for (var i = 0; i < 10_000; i++)
            Assert.NotNull(edit.Remove($"{i:00000}"));

        Assert.Equal(0, edit.Root.Count);
        Assert.Empty(new Snapshot(edit.Root, 1).List("", 0, null).Entries);
        edit.Set(new Entry("a", default, 1, 1));
        Assert.NotNull(edit.Find("a"));
    }
}
