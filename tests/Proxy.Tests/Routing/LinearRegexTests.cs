using Weft.Proxy.Routing.Matching;

namespace Weft.Proxy.Tests.Routing;

public sealed class LinearRegexTests
{
    [Theory]
    [InlineData("/a/b", "/a/b")]
    [InlineData("^/a/[0-9]+$", "/a/")]
    [InlineData("/a?b", "/")]
    [InlineData("/ab*", "/a")]
    [InlineData("/ab{0}", "/a")]
    [InlineData("/a|/b", "")]
    [InlineData("(?i)/a", "")]
    [InlineData(@"/x\.y/\d", "/x.y/")]
    [InlineData(@"/x\.?y", "/x")]
    [InlineData("/a.b", "/a")]
    [InlineData(".*", "")]
    [InlineData("*", "")]
    public void What_everything_begins_with(string pattern, string start) => Assert.Equal(start, LinearRegex.LiteralStart(pattern));

    [Theory]
    [InlineData("(?=a)b")]
    [InlineData(@"(a)\1")]
    [InlineData("(?<!a)b")]
    [InlineData("(a")]
    [InlineData("a)|(b")]
    public void What_cannot_be_matched_in_linear_time_is_refused(string pattern) => Assert.ThrowsAny<ArgumentException>(() => LinearRegex.Whole(pattern));

    [Fact]
    public void The_whole_text_must_match()
    {
        Assert.True(LinearRegex.Whole("a|b").IsMatch("a"));
        Assert.False(LinearRegex.Whole("a|b").IsMatch("ab"));
        Assert.False(LinearRegex.Whole("a").IsMatch("a\n"));
        Assert.True(LinearRegex.Whole("a+", ignoreCase: true).IsMatch("aA"));
    }

    /// <summary>(a+)+$ on this text takes a backtracking matcher 2^40 steps; were it one, this test would not end.</summary>
    [Fact]
    public void An_evil_expression_ends() => Assert.False(LinearRegex.Whole("(a+)+").IsMatch(new string('a', 40) + "!"));
}
