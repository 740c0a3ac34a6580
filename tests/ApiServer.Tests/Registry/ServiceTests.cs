using System.Text.Json.Nodes;
using Weft.ApiServer.Tests.Kit;

namespace Weft.ApiServer.Tests.Registry;

public sealed class ServiceTests
{
    private const string Services = "/api/v1/namespaces/default/services";

    [Fact]
    public async Task Every_service_gets_an_address_of_its_own()
    {
        await using var server = await TestServer.StartAsync(options: options => options with { ServiceCidr = "10.7.0.0/27" });
        var addresses = new HashSet<string> { Address((await server.GetAsync($"{Services}/kubernetes")).Expect(200)) };
        Assert.Contains("10.7.0.1", addresses);
        for (var i = 0; i < 29; i++)
            Assert.True(addresses.Add(Address((await server.PostAsync(Services, Service($"s{i}"))).Expect(201))));

        var full = (await server.PostAsync(Services, Service("one-too-many"))).Expect(500);
        Assert.Contains("range 10.7.0.0/27 is full", full.Message, StringComparison.Ordinal);

        (await server.DeleteAsync($"{Services}/s3")).Expect(200);
        (await server.PostAsync(Services, Service("fits"))).Expect(201);
    }

    [Fact]
    public async Task Services_made_at_once_never_share_an_address_or_a_port()
    {
        await using var server = await TestServer.StartAsync(options: options => options with { ServiceCidr = "10.7.0.0/26", NodePorts = (30000, 30049) });
        var made = await Task.WhenAll(Enumerable.Range(0, 40).Select(i => server.PostAsync(Services, Service($"s{i}", "NodePort"))));
        Assert.All(made, answer => answer.Expect(201));
        Assert.Equal(40, made.Select(Address).Distinct().Count());
        Assert.Equal(40, made.Select(NodePort).Distinct().Count());
    }

    [Fact]
    public async Task A_chosen_value_that_is_taken_or_out_of_range_is_refused()
    {
        await using var server = await TestServer.StartAsync();
        string At(string name, string address) => Service(name).Replace("\"ports\"", $"\"clusterIP\":\"{address}\",\"ports\"", StringComparison.Ordinal);
        (await server.PostAsync(Services, At("a", "10.96.0.10"))).Expect(201);

        var taken = (await server.PostAsync(Services, At("b", "10.96.0.10"))).Expect(422);
        Assert.Equal("Service \"b\" is invalid: spec.clusterIPs: Invalid value: [\"10.96.0.10\"]: failed to allocate IP 10.96.0.10: provided IP is already allocated", taken.Message);
        var outside = (await server.PostAsync(Services, At("b", "192.168.0.1"))).Expect(422);
        Assert.Contains("The range of valid IPs is 10.96.0.0/16", outside.Message, StringComparison.Ordinal);
        (await server.GetAsync($"{Services}/b")).Expect(404);

        string Port(string name, int port) => Service(name, "NodePort").Replace("\"port\":80", $"\"port\":80,\"nodePort\":{port}", StringComparison.Ordinal);
        (await server.PostAsync(Services, Port("c", 30080))).Expect(201);
        var used = (await server.PostAsync(Services, Port("d", 30080))).Expect(422);
        Assert.Equal("Service \"d\" is invalid: spec.ports[0].nodePort: Invalid value: 30080: provided port is already allocated", used.Message);
        Assert.Contains("The range of valid ports is 30000-32767", (await server.PostAsync(Services, Port("d", 80))).Expect(422).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ports_and_addresses_follow_the_type()
    {
        await using var server = await TestServer.StartAsync();
        var created = (await server.PostAsync(Services, Service("a", "NodePort"))).Expect(201);
        var (address, port) = (Address(created), NodePort(created));

        var kept = (await server.PatchAsync($"{Services}/a", "merge-patch+json", """{"spec":{"selector":{"x":"y"}}}""")).Expect(200);
        Assert.Equal((address, port), (Address(kept), NodePort(kept)));

        var inner = (await server.PatchAsync($"{Services}/a", "merge-patch+json", """{"spec":{"type":"ClusterIP"}}""")).Expect(200);
        Assert.Null(inner.Body["spec"]!["ports"]![0]!["nodePort"]);
        Assert.Equal(address, Address(inner));
        (await server.PostAsync(Services, Service("b", "NodePort").Replace("\"port\":80", $"\"port\":80,\"nodePort\":{port}", StringComparison.Ordinal))).Expect(201);

        var headless = (await server.PostAsync(Services, Service("c").Replace("\"ports\"", "\"clusterIP\":\"None\",\"ports\"", StringComparison.Ordinal))).Expect(201);
        Assert.Equal("None", Address(headless));
        var external = (await server.PostAsync(Services, """{"metadata":{"name":"d"},"spec":{"type":"ExternalName","externalName":"example.com"}}""")).Expect(201);
        Assert.Null(external.Body["spec"]!["clusterIP"]);
    }

    [Fact]
    public async Task A_node_port_without_a_type_makes_the_service_a_node_port_and_names_the_modern_form()
    {
        await using var server = await TestServer.StartAsync();
        var created = (await server.PostAsync(Services, """{"metadata":{"name":"old"},"spec":{"selector":{"app":"web"},"ports":[{"port":80,"targetPort":80,"nodePort":30000}]}}""")).Expect(201);
        Assert.Equal("NodePort", created.Body["spec"]!["type"]!.GetValue<string>());
        Assert.Contains(created.Warnings, warning => warning.Contains("type: NodePort", StringComparison.Ordinal));

        var patched = (await server.PatchAsync($"{Services}/old", "merge-patch+json", """{"spec":{"selector":{"app":"other"}}}""")).Expect(200);
        Assert.Empty(patched.Warnings);
        (await server.PostAsync(Services, """{"metadata":{"name":"no"},"spec":{"type":"ClusterIP","ports":[{"port":80,"nodePort":30001}]}}""")).Expect(422);
    }

    [Fact]
    public async Task The_health_port_and_the_balancers_address_go_with_the_type()
    {
        await using var server = await TestServer.StartAsync();
        var created = (await server.PostAsync(Services, """{"metadata":{"name":"a"},"spec":{"type":"LoadBalancer","externalTrafficPolicy":"Local","ports":[{"port":80}]}}""")).Expect(201);
        Assert.InRange(created.Body["spec"]!["healthCheckNodePort"]!.GetValue<int>(), 30000, 32767);
        (await server.PatchAsync($"{Services}/a/status", "merge-patch+json", """{"status":{"loadBalancer":{"ingress":[{"ip":"10.97.0.1"}]}}}""")).Expect(200);

        var inner = (await server.PatchAsync($"{Services}/a", "merge-patch+json", """{"spec":{"type":"ClusterIP"}}""")).Expect(200);
        Assert.Null(inner.Body["spec"]!["healthCheckNodePort"]);
        Assert.Null(inner.Body["spec"]!["externalTrafficPolicy"]);
        Assert.Null(inner.Body["status"]!["loadBalancer"]!["ingress"]);
    }

    private static string Service(string name, string type = "ClusterIP") =>
        new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = name },
            ["spec"] = new JsonObject { ["type"] = type, ["ports"] = new JsonArray(new JsonObject { ["port"] = 80 }) },
        }.ToJsonString();

    private static string Address(Answer service) => service.Body["spec"]!["clusterIP"]!.GetValue<string>();
    private static int NodePort(Answer service) => service.Body["spec"]!["ports"]![0]!["nodePort"]!.GetValue<int>();
}
