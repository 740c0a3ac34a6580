using System.Text.Json.Nodes;
using Weft.Cli.Kubeconfigs;

namespace Weft.Cli.Tests;

public sealed class KubeconfigMergeTests
{
    private static JsonObject Config(string name, string server) => (JsonObject)JsonNode.Parse($$$"""
        {"apiVersion":"v1","kind":"Config","current-context":"{{{name}}}",
         "clusters":[{"name":"{{{name}}}","cluster":{"server":"{{{server}}}"}}],
         "users":[{"name":"{{{name}}}","user":{}}],
         "contexts":[{"name":"{{{name}}}","context":{"cluster":"{{{name}}}","user":"{{{name}}}"}}]}
        """)!;

    [Fact]
    public void A_new_file_has_all_that_kubectl_needs() =>
        Assert.True(JsonNode.DeepEquals(Config("weft", "https://a"), KubeconfigMerge.Add([], Config("weft", "https://a"), "weft")));

    [Fact]
    public void Other_clusters_and_unknown_fields_stay()
    {
        var other = Config("work", "https://work");
        other["preferences"] = new JsonObject { ["colors"] = true };
        var merged = KubeconfigMerge.Add(other, Config("weft", "https://a"), "weft");

        Assert.Equal(["work", "weft"], merged["clusters"]!.AsArray().Select(c => (string?)c!["name"]));
        Assert.Equal("weft", (string?)merged["current-context"]);
        Assert.True((bool)merged["preferences"]!["colors"]!);
    }

    [Fact]
    public void A_second_up_replaces_its_own_entries_and_adds_none()
    {
        var once = KubeconfigMerge.Add(Config("work", "https://work"), Config("weft", "https://a"), "weft");
        var twice = KubeconfigMerge.Add(once, Config("weft", "https://b"), "weft");
        Assert.Equal(2, twice["clusters"]!.AsArray().Count);
        Assert.Equal("https://b", (string?)twice["clusters"]![1]!["cluster"]!["server"]);
    }

    [Fact]
    public void Taking_it_out_leaves_the_other_context_current()
    {
        var without = KubeconfigMerge.Remove(KubeconfigMerge.Add(Config("work", "https://work"), Config("weft", "https://a"), "weft"), "weft");
        Assert.True(JsonNode.DeepEquals(Config("work", "https://work"), without));
    }

    [Fact]
    public void Taking_out_what_is_not_there_changes_nothing() => Assert.Null(KubeconfigMerge.Remove(Config("work", "https://work"), "weft"));
}
