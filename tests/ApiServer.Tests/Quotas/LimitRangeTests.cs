using Weft.ApiServer.Tests.Kit;

namespace Weft.ApiServer.Tests.Quotas;

/// <summary>Limit ranges through the whole server.</summary>
public sealed class LimitRangeTests
{
    private const string Pods = "/api/v1/namespaces/default/pods", Ranges = "/api/v1/namespaces/default/limitranges";

    private static async Task<TestServer> StartAsync(string limits)
    {
        var server = await TestServer.StartAsync();
        (await server.PostAsync("/api/v1/namespaces/default/serviceaccounts", """{"metadata":{"name":"default"}}""")).Expect(201);
        (await server.PostAsync(Ranges, $$$"""{"metadata":{"name":"limits"},"spec":{"limits":[{{{limits}}}]}}""")).Expect(201);
        return server;
    }

    private static string Pod(string resources = "{}") => $$$"""{"metadata":{"name":"a"},"spec":{"containers":[{"name":"c","image":"i","resources":{{{resources}}}}]}}""";

    [Fact]
    public async Task A_container_that_says_nothing_gets_the_ranges_amounts()
    {
        await using var server = await StartAsync("""{"type":"Container","default":{"cpu":"500m","memory":"1024Mi"},"defaultRequest":{"cpu":"100m"}}""");

        var pod = (await server.PostAsync(Pods, Pod())).Expect(201).Body;

        var resources = pod["spec"]!["containers"]![0]!["resources"]!;
        Assert.Equal("""{"limits":{"cpu":"500m","memory":"1Gi"},"requests":{"cpu":"100m","memory":"1Gi"}}""", Sorted(resources));
        Assert.Equal("LimitRanger plugin set: cpu, memory request for container c; cpu, memory limit for container c", pod["metadata"]!["annotations"]!["kubernetes.io/limit-ranger"]!.GetValue<string>());
        Assert.Equal("Burstable", pod["status"]!["qosClass"]!.GetValue<string>());
    }

    [Fact]
    public async Task What_a_container_says_stays()
    {
        await using var server = await StartAsync("""{"type":"Container","default":{"cpu":"500m"}}""");

        var pod = (await server.PostAsync(Pods, Pod("""{"limits":{"cpu":"2"}}"""))).Expect(201).Body;

        Assert.Equal("""{"limits":{"cpu":"2"},"requests":{"cpu":"2"}}""", Sorted(pod["spec"]!["containers"]![0]!["resources"]!));
    }

    [Theory]
    [InlineData("""{"type":"Container","max":{"cpu":"1"}}""", """{"limits":{"cpu":"2"}}""",
        "pods \"a\" is forbidden: [maximum cpu usage per Container is 1, but limit is 2, maximum cpu usage per Container is 1, but request is 2]")]
    [InlineData("""{"type":"Container","min":{"memory":"64Mi"}}""", """{"requests":{"memory":"32Mi"}}""", "pods \"a\" is forbidden: minimum memory usage per Container is 64Mi, but request is 32Mi")]
    [InlineData("""{"type":"Container","maxLimitRequestRatio":{"cpu":"2"}}""", """{"requests":{"cpu":"100m"},"limits":{"cpu":"300m"}}""",
        "pods \"a\" is forbidden: cpu max limit to request ratio per Container is 2, but provided ratio is 3.000000")]
    [InlineData("""{"type":"Pod","max":{"memory":"64Mi"}}""", """{"limits":{"memory":"65Mi"},"requests":{"memory":"1Mi"}}""", "pods \"a\" is forbidden: maximum memory usage per Pod is 64Mi, but limit is 65Mi")]
    [InlineData("""{"type":"Pod","max":{"memory":"64Mi"}}""", "{}", "pods \"a\" is forbidden: maximum memory usage per Pod is 64Mi.  No limit is specified")]
    public async Task Too_much_and_too_little_is_refused(string limits, string resources, string message)
    {
        await using var server = await StartAsync(limits);
        Assert.Equal(message, (await server.PostAsync(Pods, Pod(resources))).Expect(403).Message);
    }

    [Fact]
    public async Task A_claims_size_is_bounded()
    {
        await using var server = await StartAsync("""{"type":"PersistentVolumeClaim","min":{"storage":"1Gi"},"max":{"storage":"2Gi"}}""");
        const string claims = "/api/v1/namespaces/default/persistentvolumeclaims";

        Assert.EndsWith("minimum storage usage per PersistentVolumeClaim is 1Gi, but request is 512Mi", (await server.PostAsync(claims, Claim("512Mi"))).Expect(403).Message, StringComparison.Ordinal);
        Assert.EndsWith("maximum storage usage per PersistentVolumeClaim is 2Gi, but request is 3Gi", (await server.PostAsync(claims, Claim("3Gi"))).Expect(403).Message, StringComparison.Ordinal);
        (await server.PostAsync(claims, Claim("2Gi"))).Expect(201);

        static string Claim(string size) => """{"metadata":{"name":"d"},"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"SIZE"}}}}""".Replace("SIZE", size, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Defaults_of_a_range_follow_from_its_bounds()
    {
        await using var server = await StartAsync("""{"type":"Container","max":{"cpu":"2"},"min":{"memory":"64Mi"}}""");

        var item = (await server.GetAsync(Ranges + "/limits")).Expect(200).Body["spec"]!["limits"]![0]!;

        Assert.Equal("""{"cpu":"2"}""", item["default"]!.ToJsonString());
        Assert.Equal("""{"cpu":"2","memory":"64Mi"}""", item["defaultRequest"]!.ToJsonString());
    }

    private static string Sorted(System.Text.Json.Nodes.JsonNode resources) =>
        $$"""{"limits":{{Map(resources["limits"]!)}},"requests":{{Map(resources["requests"]!)}}}""";

    private static string Map(System.Text.Json.Nodes.JsonNode map) =>
        "{" + string.Join(',', map.AsObject().OrderBy(e => e.Key, StringComparer.Ordinal).Select(e => $"\"{e.Key}\":\"{e.Value}\"")) + "}";
}
