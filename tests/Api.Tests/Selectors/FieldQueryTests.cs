using Weft.Api.Selectors;

namespace Weft.Api.Tests.Selectors;

public sealed class FieldQueryTests
{
    private static string Value(string field) => field switch
    {
        "metadata.name" => "web",
        "status.phase" => "Running",
        "odd" => @"a,b=c\d",
        _ => "",
    };

    [Theory]
    [InlineData("", "", true)]
    [InlineData("metadata.name=web", "metadata.name=web", true)]
    [InlineData("metadata.name==web,status.phase!=Failed", "metadata.name=web,status.phase!=Failed", true)]
    [InlineData("metadata.name!=web", "metadata.name!=web", false)]
    [InlineData("spec.nodeName=", "spec.nodeName=", true)]
    [InlineData(@"odd=a\,b\=c\\d", @"odd=a\,b\=c\\d", true)]
    [InlineData("metadata.name=web,", "metadata.name=web", true)]
    public void Reads_prints_and_matches(string text, string printed, bool matches)
    {
        var query = FieldQuery.Parse(text);
        Assert.Equal(printed, query.ToString());
        Assert.Equal(matches, query.Matches(Value));
    }

    [Theory]
    [InlineData("metadata.name", "invalid selector: 'metadata.name'; can't understand 'metadata.name'")]
    [InlineData("a!b", "can't understand 'a!b'")]
    [InlineData(@"a=b\x", "invalid escape sequence")]
    [InlineData(@"a=b\", "invalid escape sequence")]
    [InlineData("a=b=c", "unescaped character in value: =")]
    public void Says_what_is_wrong(string text, string message) =>
        Assert.Contains(message, Assert.Throws<SelectorException>(() => FieldQuery.Parse(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void Tells_the_value_that_it_demands()
    {
        var query = FieldQuery.Parse("metadata.name=web,metadata.namespace!=kube-system");
        Assert.Equal("web", query.RequiredValue("metadata.name"));
        Assert.Null(query.RequiredValue("metadata.namespace"));
    }
}
