using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Routing;

namespace Weft.Proxy.Tests.Routing;

public sealed class PathNormalizerTests
{
    private static (PathError Error, string Target) Normalize(string target, PathSettings? settings = null)
    {
        var path = new RequestPath();
        var error = PathNormalizer.Normalize(Encoding.Latin1.GetBytes(target), settings ?? PathSettings.Default, path);
        return (error, Ask.Text(path.Target));
    }

    [Theory]
    [InlineData("/", "/")]
    [InlineData("/a/b.c", "/a/b.c")]
    [InlineData("/a?x=1&y=%zz", "/a?x=1&y=%zz")]
    [InlineData("/a?", "/a?")]
    [InlineData("*", "*")]
    [InlineData("//a///b", "/a/b")]
    [InlineData("/a//", "/a/")]
    [InlineData("/a/./b", "/a/b")]
    [InlineData("/a/.", "/a/")]
    [InlineData("/a/b/..", "/a/")]
    [InlineData("/a/b/../", "/a/")]
    [InlineData("/a/b/../c", "/a/c")]
    [InlineData("/a/%2e%2e/b", "/b")]
    [InlineData("/a/.%2E/b", "/b")]
    [InlineData("/a//../b", "/b")]
    [InlineData("/.well-known/x", "/.well-known/x")]
    [InlineData("/a/...", "/a/...")]
    [InlineData("/a/..b", "/a/..b")]
    [InlineData("/%61%7E%2d", "/a~-")]
    [InlineData("/caf%c3%a9", "/caf%C3%A9")]
    [InlineData("/caf\u00e9", "/caf%E9")]
    [InlineData("/a%3bb;c", "/a%3Bb;c")]
    [InlineData("/a{b}|\"^", "/a%7Bb%7D%7C%22%5E")]
    [InlineData("/a%20b", "/a%20b")]
    [InlineData("/100%25", "/100%25")]
    [InlineData("/a?b/../c//d", "/a?b/../c//d")]
    public void One_form_for_all_spellings(string target, string expected) => Assert.Equal((PathError.None, expected), Normalize(target));

    [Theory]
    [InlineData("/a%2fb", "EscapedSlash")]
    [InlineData("/a%2F..%2fb", "EscapedSlash")]
    [InlineData("/a%5cb", "EscapedSlash")]
    [InlineData("/a\\b", "Backslash")]
    [InlineData("/a%00b", "Control")]
    [InlineData("/a%0d%0aSet-Cookie:x", "Control")]
    [InlineData("/a b", "Control")]
    [InlineData("/a\u007f", "Control")]
    [InlineData("/a%", "BadEscape")]
    [InlineData("/a%g0", "BadEscape")]
    [InlineData("/a%2", "BadEscape")]
    [InlineData("/%252e%252e/a", "DoubleEscape")]
    [InlineData("/%252fa", "DoubleEscape")]
    [InlineData("/%25%32%66a", "DoubleEscape")]
    [InlineData("/%25252f", "DoubleEscape")]
    [InlineData("/%2500", "DoubleEscape")]
    [InlineData("/%c0%ae%c0%ae/a", "Overlong")]
    [InlineData("/%c0\u00af", "Overlong")]
    [InlineData("/%e0%80%af", "Overlong")]
    [InlineData("/%f0%80%80%af", "Overlong")]
    [InlineData("/..", "AboveRoot")]
    [InlineData("/a/../../b", "AboveRoot")]
    [InlineData("/%2e%2e", "AboveRoot")]
    [InlineData("/a/..;/b", "DotSegmentWithParameter")]
    [InlineData("/a/..%3Bx/b", "DotSegmentWithParameter")]
    [InlineData("/a/.;x=1/b", "DotSegmentWithParameter")]
    [InlineData("/a#b", "Fragment")]
    [InlineData("/a?b#c", "Fragment")]
    [InlineData("/a?b c", "Control")]
    [InlineData("/a?b\rc", "Control")]
    [InlineData("a", "NotAbsolute")]
    [InlineData("", "NotAbsolute")]
    [InlineData("?a", "NotAbsolute")]
    [InlineData("*?a", "NotAbsolute")]
    [InlineData("http://a/", "NotAbsolute")]
    public void What_two_readers_might_read_differently_is_refused(string target, string error) => Assert.Equal((Enum.Parse<PathError>(error), ""), Normalize(target));

    [Theory]
    [InlineData("Keep", "/a%2fb", "/a%2Fb")]
    [InlineData("Keep", "/a\\b%5c", "/a%5Cb%5C")]
    [InlineData("Keep", "/a%2f..%2fb", "/a%2F..%2Fb")]
    [InlineData("Decode", "/a%2fb", "/a/b")]
    [InlineData("Decode", "/a/x%2f..%5c../b", "/b")]
    [InlineData("Decode", "/a%2f%2fb\\c", "/a/b/c")]
    public void Escaped_slashes_are_as_configured(string slashes, string target, string expected)
        => Assert.Equal((PathError.None, expected), Normalize(target, new() { EscapedSlashes = Enum.Parse<EscapedSlashes>(slashes) }));

    [Theory]
    [InlineData("//a", "//a")]
    [InlineData("/a//b/", "/a//b/")]
    [InlineData("/a//../b", "/a/b")]
    [InlineData("/a//", "/a//")]
    public void Slashes_stay_where_they_are_not_merged(string target, string expected) => Assert.Equal((PathError.None, expected), Normalize(target, new() { MergeSlashes = false }));

    [Fact]
    public void A_long_path_is_whole()
    {
        var target = "/" + string.Concat(Enumerable.Repeat("\u00e9", 4000)) + "//x";

        Assert.Equal("/" + string.Concat(Enumerable.Repeat("%E9", 4000)) + "/x", Normalize(target).Target);
    }

    /// <summary>For any bytes: what is taken is taken again as it is, and has none of what it must not have. So no reader behind sees another path.</summary>
    [Fact]
    public void What_was_normalised_once_stays()
    {
        string[] pieces = ["/", "//", ".", "..", "%2e", "%2E%2e", ";", "%3b", "a", "B", "%61", "%25", "2e", "%2f", "\\", "%5c", "%c3%a9", "%c0", "\u00c0", "%20", "?", "=", "~", "%", "\u0001", "{"];
        var texts = Gen.Elements(pieces).ListOf().Select(list => "/" + string.Concat(list));
        foreach (var settings in new[] { PathSettings.Default, new() { EscapedSlashes = EscapedSlashes.Keep }, new() { EscapedSlashes = EscapedSlashes.Decode, MergeSlashes = false } })
        {
            Prop.ForAll(texts.ToArbitrary(), text =>
            {
                var (error, once) = Normalize(text, settings);
                if (error != PathError.None)
                    return;
                Assert.Equal((PathError.None, once), Normalize(once, settings));
                var path = once.Split('?')[0];
                Assert.DoesNotContain(path.Split('/'), segment => segment is "." or "..");
                Assert.All(path, c => Assert.InRange(c, '\u0021', '\u007e'));
                Assert.False(settings.MergeSlashes && path.Contains("//", StringComparison.Ordinal), path);
                Assert.False(settings.EscapedSlashes != EscapedSlashes.Keep && (path.Contains("%2F", StringComparison.OrdinalIgnoreCase) || path.Contains("%5C", StringComparison.OrdinalIgnoreCase)), path);
            }).Check(FsCheck.Config.QuickThrowOnFailure.WithMaxTest(5000));
        }
    }
}
