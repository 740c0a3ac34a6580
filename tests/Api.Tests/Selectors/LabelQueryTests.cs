using System.Text.Json.Nodes;
using Weft.Api.Selectors;

namespace Weft.Api.Tests.Selectors;

public sealed class LabelQueryTests
{
    [Theory]
    [InlineData("", "", true)]
    [InlineData("a=b", "a=b", true)]
    [InlineData("a==b", "a=b", true)]
    [InlineData("a = c", "a=c", false)]
    [InlineData("a!=c", "a!=c", true)]
    [InlineData("missing!=c", "missing!=c", true)]
    [InlineData("e in (x, y)", "e in (x,y)", true)]
    [InlineData("e in (y,z)", "e in (y,z)", false)]
    [InlineData("e notin (y,z)", "e notin (y,z)", true)]
    [InlineData("missing notin (y)", "missing notin (y)", true)]
    [InlineData("!f", "!f", true)]
    [InlineData("! a", "!a", false)]
    [InlineData("a", "a", true)]
    [InlineData("missing", "missing", false)]
    [InlineData("n>4", "n>4", true)]
    [InlineData("n<5", "n<5", false)]
    [InlineData("a>4", "a>4", false)]
    [InlineData("a=b,e in (x,y),!f,n", "a=b,e in (x,y),!f,n", true)]
    [InlineData("a=b,c!=d,e in (q)", "a=b,c!=d,e in (q)", false)]
    [InlineData("empty=", "empty=", true)]
    [InlineData("empty in ()", "empty in ()", true)]
    [InlineData("empty in (a,,b)", "empty in (,a,b)", true)]
    [InlineData("in in (in, notin)", "in in (in,notin)", false)]
    [InlineData("app.kubernetes.io/name=web", "app.kubernetes.io/name=web", true)]
    public void Reads_prints_and_matches(string text, string printed, bool matches)
    {
        var query = LabelQuery.Parse(text);
        Assert.Equal(printed, query.ToString());
        Assert.Equal(printed, LabelQuery.Parse(query.ToString()).ToString());
        var labels = new Dictionary<string, string> { ["a"] = "b", ["e"] = "x", ["n"] = "5", ["empty"] = "", ["app.kubernetes.io/name"] = "web" };
        Assert.Equal(matches, query.Matches(labels));
        Assert.Equal(matches, query.Matches(new JsonObject(labels.Select(l => KeyValuePair.Create(l.Key, (JsonNode?)l.Value)))));
    }

    [Fact]
    public void An_object_without_labels_matches_only_what_asks_for_absence()
    {
        Assert.True(LabelQuery.Parse("!a,b!=c").Matches((JsonObject?)null));
        Assert.False(LabelQuery.Parse("a").Matches((JsonObject?)null));
    }

    [Theory]
    [InlineData("a in", "unable to parse requirement: found '', expected: '('")]
    [InlineData("a in (x", "unable to parse requirement: found '', expected: ',' or ')'")]
    [InlineData("a,,b", "unable to parse requirement: found ',', expected: identifier after ','")]
    [InlineData("a=b c", "unable to parse requirement: found 'c', expected: ',' or 'end of string'")]
    [InlineData("=a", "unable to parse requirement: found '=', expected: !, identifier, or 'end of string'")]
    [InlineData("a like b", "unable to parse requirement: found 'like', expected: in, notin, =, ==, !=, gt, lt")]
    [InlineData("-a=b", "name part must consist of alphanumeric characters")]
    [InlineData("a=b!", "expected: ',' or 'end of string'")]
    [InlineData("a=_x", "unable to parse requirement: values[0][a]: Invalid value: \"_x\": a valid label must be")]
    [InlineData("a>x", "the value must be an integer")]
    [InlineData("/a=b", "prefix part must be non-empty")]
    [InlineData("A_/a=b", "prefix part a lowercase RFC 1123 subdomain")]
    public void Says_what_is_wrong(string text, string message) =>
        Assert.Contains(message, Assert.Throws<SelectorException>(() => LabelQuery.Parse(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void Reads_a_selector_object()
    {
        var selector = JsonNode.Parse("""
            {"matchLabels":{"app":"web"},"matchExpressions":[{"key":"tier","operator":"In","values":["b","a","a"]},{"key":"old","operator":"DoesNotExist"}]}
            """);
        var query = LabelQuery.FromSelector(selector);
        Assert.Equal("app=web,!old,tier in (a,b)", query.ToString());
        Assert.True(query.Matches(new Dictionary<string, string> { ["app"] = "web", ["tier"] = "a" }));
        Assert.False(query.Matches(new Dictionary<string, string> { ["app"] = "web", ["tier"] = "a", ["old"] = "" }));
    }

    [Fact]
    public void An_absent_selector_object_matches_nothing_and_an_empty_one_everything()
    {
        Assert.False(LabelQuery.FromSelector(null).Matches(new Dictionary<string, string>()));
        Assert.True(LabelQuery.FromSelector(new JsonObject()).Matches(new Dictionary<string, string>()));
        Assert.True(LabelQuery.FromSelector(new JsonObject()).IsEverything);
    }

    [Theory]
    [InlineData("""{"key":"a","operator":"Like"}""", "not a valid label selector operator")]
    [InlineData("""{"key":"a","operator":"In"}""", "values set can't be empty")]
    [InlineData("""{"key":"a","operator":"Exists","values":["x"]}""", "must be empty for exists")]
    public void Refuses_wrong_expressions(string expression, string message)
    {
        var selector = new JsonObject { ["matchExpressions"] = new JsonArray(JsonNode.Parse(expression)) };
        Assert.Contains(message, Assert.Throws<SelectorException>(() => LabelQuery.FromSelector(selector)).Message, StringComparison.Ordinal);
    }
}
