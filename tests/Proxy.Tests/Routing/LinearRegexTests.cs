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

    [Theory]
    [InlineData("a|b", "a", false, true)]
    [InlineData("a|b", "ab", false, false)]
    [InlineData("a", "a\n", false, false)]
    [InlineData("a+", "aA", true, true)]
    public void The_whole_text_must_match(string pattern, string text, bool ignoreCase, bool matches) => Assert.Equal(matches, LinearRegex.Whole(pattern, ignoreCase).IsMatch(text));

    /// <summary>(a+)+$ on this text takes a backtracking matcher 2^40 steps; were it one, this test would not end.</summary>
    [Fact]
    public void An_evil_expression_ends() => Assert.DoesNotMatch(LinearRegex.Whole("(a+)+"), new string('a', 40) + "!");
}
