using System.Text;
using System.Text.RegularExpressions;
using Weft.Proxy.Routing.Matching;

namespace Weft.Proxy.Tests.Routing;

/// <summary>The table takes what .NET takes.</summary>
public sealed class LinearPatternTests
{
    [Theory]
    [InlineData("/api/v[0-9]+/[a-z0-9-]+/items/[0-9]+(/.*)?", true)]
    [InlineData(@"https://[a-z]+\.preview\.example", true)]
    [InlineData("^/a$", true)]
    [InlineData("/(?<tenant>[^/]+)/x{2,4}", true)]
    [InlineData("(a|ab)(c|bcd)(d*)", true)]
    [InlineData("(?i)abc", false)]
    [InlineData(@"\bword\b", false)]
    [InlineData(@"\p{Lu}+", false)]
    [InlineData("[a-z-[aeiou]]+", false)]
    [InlineData("(a|b)*a(a|b){14}", false)]
    public void Most_expressions_are_tables_and_the_others_are_nets(string pattern, bool table) => Assert.Equal(table, LinearPattern.Whole(pattern).IsTable);

    // Once 2^31 rounds, in which no configuration could be applied.
    [Theory]
    [InlineData("(?:){2147483647}b")]
    [InlineData("(a{0}){2147483647}b")]
    [InlineData("(?:(?:){2147483647}){2147483647}b")]
    public void A_repetition_of_nothing_is_nothing(string pattern) => Assert.True(LinearPattern.Whole(pattern).Matches("b"u8));

    [Theory]
    [InlineData("(")]
    [InlineData("a**")]
    [InlineData("[b-a]")]
    [InlineData("(?=a)b")]
    [InlineData(@"(a)\1")]
    [InlineData("a)|(b")]
    public void What_is_none_or_not_linear_is_refused(string pattern) => Assert.ThrowsAny<ArgumentException>(() => LinearPattern.Whole(pattern));

    [Theory]
    [InlineData("{", "{")]
    [InlineData("a{,3}", "a{,3}")]
    [InlineData("a{x}", "a{x}")]
    [InlineData("[]a]+", "]a]")]
    [InlineData("[^]]", "]")]
    [InlineData(@"\x41\u0042", "AB")]
    [InlineData(@"[\d\-]+", "1-2")]
    [InlineData("a|", "")]
    [InlineData("(a*)*", "aaa")]
    [InlineData("(|a)+", "aa")]
    [InlineData("a??b+?", "bb")]
    [InlineData(".", "\n")]
    [InlineData("a$", "a\n")]
    [InlineData("^a|^b", "b")]
    [InlineData("^*a", "a")]
    [InlineData("x{0}y{1,}z{2}", "yyzz")]
    public void Corners(string pattern, string text) => Same(pattern, ignoreCase: false, text);

    [Fact]
    public void Every_byte_of_every_simple_class_is_as_in_net()
    {
        foreach (var atom in new[] { ".", @"\d", @"\D", @"\w", @"\W", @"\s", @"\S", "[^a]", "[a-z]", "[k]", "[^\\w]", "µ", "é", "ß", "[à-ö]", "k", "K", "i", "s" })
        {
            foreach (var ignoreCase in new[] { false, true })
            {
                for (var c = 0; c < 256; c++)
                    Same(atom, ignoreCase, $"{(char)c}");
            }
        }
    }

    [Fact]
    public void Random_expressions_take_what_net_takes()
    {
        var random = new Random(4711);
        var tables = 0;
        for (var i = 0; i < 3000; i++)
        {
            var pattern = Pattern(random, 4);
            var ignoreCase = random.Next(4) == 0;
            var own = LinearPattern.Whole(pattern, ignoreCase);
            tables += own.IsTable ? 1 : 0;
            var net = Net(pattern, ignoreCase);
            for (var j = 0; j < 30; j++)
            {
                var text = string.Concat(Enumerable.Range(0, random.Next(7)).Select(_ => "abAB/1.-"[random.Next(8)]));
                Assert.True(net.IsMatch(text) == own.Matches(Encoding.Latin1.GetBytes(text)), $"'{pattern}' ({ignoreCase}) on '{text}'");
            }
        }

        Assert.InRange(tables, 2900, 3000);
    }

    [Fact]
    public void A_long_text_takes_time_by_its_length_alone()
    {
        // With back-tracking this is 2^30 steps.
        var pattern = LinearPattern.Whole("(a|a)*b");
        Assert.True(pattern.IsTable);
        Assert.False(pattern.Matches(Encoding.ASCII.GetBytes(new string('a', 100_000))));
    }

    private static string Pattern(Random random, int depth) => random.Next(depth <= 0 ? 4 : 9) switch
    {
        0 => $"{"abA/1-"[random.Next(6)]}",
        1 => new[] { "[ab]", "[^a]", "[a-b1]", @"\d", @"\w", ".", @"\.", "[/-]" }[random.Next(8)],
        2 => "ab",
        3 => "a",
        4 => $"({Pattern(random, depth - 1)}|{Pattern(random, depth - 1)})",
        5 => $"(?:{Pattern(random, depth - 1)}){new[] { "*", "+", "?", "{2}", "{1,3}", "{0,2}", "*?" }[random.Next(7)]}",
        6 => $"({Pattern(random, depth - 1)}|)",
        _ => Pattern(random, depth - 1) + Pattern(random, depth - 1),
    };

    private static void Same(string pattern, bool ignoreCase, string text)
        => Assert.True(Net(pattern, ignoreCase).IsMatch(text) == LinearPattern.Whole(pattern, ignoreCase).Matches(Encoding.Latin1.GetBytes(text)), $"'{pattern}' ({ignoreCase}) on '{text}'");

    private static Regex Net(string pattern, bool ignoreCase) => new($@"\A(?:{pattern})\z", RegexOptions.CultureInvariant | (ignoreCase ? RegexOptions.IgnoreCase : RegexOptions.None), TimeSpan.FromSeconds(30));
}
