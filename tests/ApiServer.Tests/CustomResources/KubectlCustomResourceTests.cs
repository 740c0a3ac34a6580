using Weft.ApiServer.Tests.Kit;
using Weft.Testing;
using static Weft.ApiServer.Tests.CustomResources.CustomServer;

namespace Weft.ApiServer.Tests.CustomResources;

/// <summary>What a user does with a custom kind, by the real kubectl.</summary>
public sealed class KubectlCustomResourceTests
{
    private static readonly string Definition = Things(
        """{"type":"object","description":"What is wanted.","required":["size"],"properties":{"size":{"type":"integer","description":"How large it is."},"replicas":{"type":"integer"}}}""",
        "\"subresources\":{\"status\":{},\"scale\":{\"specReplicasPath\":\".spec.replicas\",\"statusReplicasPath\":\".status.replicas\"}},"
        + "\"additionalPrinterColumns\":[{\"name\":\"Size\",\"type\":\"integer\",\"jsonPath\":\".spec.size\"},{\"name\":\"Phase\",\"type\":\"string\",\"priority\":1,\"jsonPath\":\".status.phase\"}]",
        "\"shortNames\":[\"th\"],\"categories\":[\"stuff\"]");

    [Theory, MemberData(nameof(Kubectl.Programs), MemberType = typeof(Kubectl))]
    public async Task A_definition_is_applied_awaited_explained_used_scaled_and_deleted(string program)
    {
        await using var server = await StartAsync();
        using var kubectl = new Kubectl(program, server.Host.Address);

        Assert.Contains("created", await kubectl.OutputAsync(Definition, "apply", "-f", "-"), StringComparison.Ordinal);
        Assert.Contains("condition met", await kubectl.OutputAsync("", "wait", "--for=condition=Established", "--timeout=10s", "crd/things.example.com"), StringComparison.Ordinal);

        var explained = await kubectl.OutputAsync("", "explain", "things.spec.size");
        Assert.Contains("How large it is.", explained, StringComparison.Ordinal);
        Assert.Contains("What is wanted.", await kubectl.OutputAsync("", "explain", "th.spec"), StringComparison.Ordinal);
        Assert.Contains("th", await kubectl.OutputAsync("", "api-resources", "--api-group=example.com"), StringComparison.Ordinal);

        var (code, _, error) = await kubectl.RunAsync(Thing("bad", """{"replicas":1}"""), "apply", "-f", "-");
        Assert.NotEqual(0, code);
        Assert.Contains("size", error, StringComparison.Ordinal);
        await kubectl.OutputAsync(Thing("one", """{"size":4,"replicas":1}"""), "apply", "-f", "-");
        Assert.Equal(["NAME   SIZE", "one    4"], (await kubectl.OutputAsync("", "get", "th")).TrimEnd().Split('\n').Select(line => line.TrimEnd()));
        Assert.Contains("PHASE", await kubectl.OutputAsync("", "get", "things", "-o", "wide"), StringComparison.Ordinal);
        Assert.Contains("thing.example.com/one", await kubectl.OutputAsync("", "get", "stuff", "-o", "name"), StringComparison.Ordinal);

        Assert.Contains("scaled", await kubectl.OutputAsync("", "scale", "thing/one", "--replicas=5"), StringComparison.Ordinal);
        Assert.Equal("5", await kubectl.OutputAsync("", "get", "thing", "one", "-o", "jsonpath={.spec.replicas}"));
        Assert.Contains("configured", await kubectl.OutputAsync(Thing("one", """{"size":6}"""), "apply", "-f", "-"), StringComparison.Ordinal);
        Assert.Contains("serverside-applied", await kubectl.OutputAsync(Thing("two", """{"size":6}"""), "apply", "--server-side", "-f", "-"), StringComparison.Ordinal);

        await kubectl.OutputAsync("", "delete", "crd", "things.example.com", "--timeout=20s");
        Assert.Equal(0, server.Store.Count("/registry/example.com/"));
        (await server.GetAsync(ThingPath)).Expect(404);
    }

    [Fact]
    public async Task A_definition_is_served_within_a_second()
    {
        await using var server = await StartAsync();
        (await server.PostAsync(Definitions, Definition)).Expect(201);
        // Not a measurement: the wait has the test's own long deadline, and the loop is woken by the write, never by a timer.
        await Eventually.TrueAsync(async () => (await server.GetAsync(ThingPath)).Code == 200);
        Assert.Contains("things", (await server.GetAsync("/apis/example.com/v1")).Text, StringComparison.Ordinal);
    }
}
