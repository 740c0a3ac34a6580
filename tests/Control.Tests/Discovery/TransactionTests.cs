using System.Text;
using System.Text.Json.Nodes;

namespace Weft.Control.Tests.Discovery;

/// <summary>`/v1/txn`: all or nothing.</summary>
public sealed class TransactionTests
{
    [Fact]
    public async Task Changes_are_made_together_and_each_sees_those_before_it()
    {
        await using var host = await RegistryHost.StartAsync();
        await host.PutAsync("kv/old", "before");
        var results = await RunAsync(host, 200,
            """{"KV": {"Verb": "set", "Key": "a", "Value": "MQ==", "Flags": 7}}""", """{"KV": {"Verb": "get", "Key": "a"}}""", """{"KV": {"Verb": "cas", "Key": "b", "Value": "Mg==", "Index": 0}}""",
            """{"KV": {"Verb": "delete", "Key": "old"}}""", """{"KV": {"Verb": "check-not-exists", "Key": "old"}}""", """{"KV": {"Verb": "get-tree", "Key": ""}}""");
        var all = results["Results"]!.AsArray().Select(result => result!["KV"]!).ToList();
        Assert.Null(results["Errors"]);
        Assert.Equal(["a ", "a MQ==", "b ", "a MQ==", "b Mg=="], all.Select(value => $"{value["Key"]} {value["Value"]}"));
        Assert.Equal(7, (int)all[0]["Flags"]!);
        // One change, one index.
        Assert.Single(all.Select(value => (long)value["ModifyIndex"]!).Distinct());
        Assert.Equal(404, (await host.AskAsync("GET", "kv/old")).Status);
        Assert.Equal("1", (await host.AskAsync("GET", "kv/a?raw")).Text);
    }

    [Fact]
    public async Task One_that_fails_undoes_all_and_every_failure_is_told()
    {
        await using var host = await RegistryHost.StartAsync();
        await host.PutAsync("kv/a", "1");
        var index = (long)(await host.GetAsync("kv/a"))[0]!["ModifyIndex"]!;
        var before = host.Registry.Current.Index;
        var refused = await RunAsync(host, 409,
            """{"KV": {"Verb": "set", "Key": "b", "Value": "MQ=="}}""", $$$"""{"KV": {"Verb": "check-index", "Key": "a", "Index": {{{index + 1}}}}}""",
            """{"KV": {"Verb": "get", "Key": "none"}}""", $$$"""{"KV": {"Verb": "delete-cas", "Key": "a", "Index": {{{index + 1}}}}}""", """{"KV": {"Verb": "cas", "Key": "a", "Value": "MQ==", "Index": 0}}""");
        Assert.Null(refused["Results"]);
        Assert.Equal(
            [$"1 key \"a\" is at index {index}, not {index + 1}", "2 key \"none\" doesn't exist", $"3 key \"a\" is at index {index}, not {index + 1}", $"4 key \"a\" is at index {index}, not 0"],
            refused["Errors"]!.AsArray().Select(error => $"{error!["OpIndex"]} {error["What"]}"));
        Assert.Equal(404, (await host.AskAsync("GET", "kv/b")).Status);
        Assert.Equal(before, host.Registry.Current.Index);

        await RunAsync(host, 200, $$$"""{"KV": {"Verb": "check-index", "Key": "a", "Index": {{{index}}}}}""", $$$"""{"KV": {"Verb": "delete-cas", "Key": "a", "Index": {{{index}}}}}""");
        Assert.Equal(404, (await host.AskAsync("GET", "kv/a")).Status);
    }

    [Theory]
    [InlineData("""{"KV": {}}""", "the body is no list of JSON objects")]
    [InlineData("""[{"KV": {"Verb": "lock", "Key": "a"}}]""", "KV.Verb 'lock' is not served; set, cas")]
    [InlineData("""[{"Node": {"Verb": "set"}}]""", "only operations of the kind KV are served")]
    [InlineData("""[{"KV": {"Verb": "set", "Key": ""}}]""", "Missing key name")]
    [InlineData("""[{"KV": {"Verb": "set", "Key": "a", "Value": "?"}}]""", "KV.Value is no base64")]
    [InlineData("""[{"KV": {"Verb": "cas", "Key": "a", "Index": -1}}]""", "KV.Index '-1' is no whole number")]
    public async Task Says_what_is_wrong(string body, string why)
    {
        await using var host = await RegistryHost.StartAsync();
        var answer = await host.AskAsync("PUT", "txn", body);
        Assert.Equal(400, answer.Status);
        Assert.Contains(why, answer.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_has_limits()
    {
        await using var host = await RegistryHost.StartAsync();
        Assert.Equal(200, (await host.AskAsync("PUT", "txn", List(128))).Status);
        Assert.Equal(413, (await host.AskAsync("PUT", "txn", List(129))).Status);
        Assert.Equal(413, (await host.AskAsync("PUT", "txn", new byte[512 * 1024 + 1])).Status);

        static string List(int count) => "[" + string.Join(',', Enumerable.Range(0, count).Select(i => $$$"""{"KV": {"Verb": "set", "Key": "k{{{i}}}", "Value": "{{{Convert.ToBase64String(Encoding.UTF8.GetBytes("v"))}}}"}}""")) + "]";
    }

    private static async Task<JsonNode> RunAsync(RegistryHost host, int status, params string[] operations)
    {
        var answer = await host.AskAsync("PUT", "txn", "[" + string.Join(',', operations) + "]");
        Assert.True(answer.Status == status, answer.Text);
        return JsonNode.Parse(answer.Text)!;
    }
}
