using System.Text;
using Weft.Proxy.Routing;

namespace Weft.Proxy.Tests.Routing;

public sealed class SharedByteTableTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void It_knows_what_a_dictionary_knows_through_all_changes(int seed)
    {
        var random = new Random(seed);
        var (table, expected) = (SharedByteTable<int>.Empty, new Dictionary<string, int>());
        for (var step = 0; step < 300; step++)
        {
            var (before, known) = (table, expected.ToDictionary());
            // It grows to some thousands, and then shrinks to nothing.
            var gone = expected.Keys.Where(_ => random.Next(step < 200 ? 50 : 3) == 0).ToList();
            foreach (var key in gone)
                expected.Remove(key);
            var come = Enumerable.Range(0, step < 200 ? random.Next(60) : 0).Select(_ => $"h{random.Next(5_000)}.example").Where(key => !expected.ContainsKey(key)).Distinct().ToDictionary(key => key, _ => random.Next());
            foreach (var (key, value) in come)
                expected.Add(key, value);

            table = table.With(gone, come);

            Same(expected, table);
            if (step % 50 == 0)
                Same(known, before);
        }

        Assert.True(expected.Count < 50);
    }

    [Fact]
    public void A_key_that_stands_already_is_refused()
    {
        var table = SharedByteTable<int>.Empty.With([], [KeyValuePair.Create("a", 1)]);
        Assert.Throws<ArgumentException>(() => table.With([], [KeyValuePair.Create("a", 2)]));
        Assert.True(table.With(["a", "never there"], [KeyValuePair.Create("a", 2)]).TryGet("a"u8, out var value));
        Assert.Equal(2, value);
    }

    private static void Same(Dictionary<string, int> expected, SharedByteTable<int> table)
    {
        Assert.Equal(expected.Count, table.Count);
        foreach (var (key, value) in expected)
        {
            Assert.True(table.TryGet(Encoding.UTF8.GetBytes(key), out var found));
            Assert.Equal(value, found);
        }

        Assert.False(table.TryGet("other"u8, out _));
    }
}
