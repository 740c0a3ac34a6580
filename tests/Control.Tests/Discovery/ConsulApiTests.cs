using System.Diagnostics;
using System.Net;
using System.Text.Json.Nodes;
using Weft.Control.Discovery.Http;
using Weft.Control.Discovery.Model;
using Weft.Control.Discovery.Registry;
using Weft.Testing;

namespace Weft.Control.Tests.Discovery;

/// <summary>The API as its clients use it, over HTTP.</summary>
public sealed class ConsulApiTests
{
    [Fact]
    public async Task A_client_with_pythons_standard_library_registers_renews_watches_and_locks()
    {
        await using var host = await RegistryHost.StartAsync();
        using var python = Process.Start(new ProcessStartInfo("python3", [Path.Combine(AppContext.BaseDirectory, "Discovery", "client.py"), host.Process.Address.ToString()]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var said = await Eventually.EndsAsync(python.StandardOutput.ReadToEndAsync());
        Assert.True(said.TrimEnd().EndsWith("done", StringComparison.Ordinal), said + await python.StandardError.ReadToEndAsync());
    }

    [Theory]
    [InlineData("PUT", "agent/service/register", """{"Port": 80}""", 400, "Missing service name")]
    [InlineData("PUT", "agent/service/register", "{", 400, "decode failed")]
    [InlineData("PUT", "agent/service/register", """{"Name": "a/b"}""", 400, "Invalid service name")]
    [InlineData("PUT", "agent/service/register", """{"Name": "a", "Port": 70000}""", 400, "Port is 70000")]
    [InlineData("PUT", "agent/service/register", """{"Name": "a", "Address": "0.0.0.0"}""", 400, "no address that somebody can connect to")]
    [InlineData("PUT", "agent/service/register", """{"Name": "a", "Check": {"HTTP": "http://x/"}}""", 400, "Interval must be > 0")]
    [InlineData("PUT", "agent/service/register", """{"Name": "a", "Check": {"HTTP": "file:///etc/passwd", "Interval": "10s"}}""", 400, "no URL")]
    [InlineData("PUT", "agent/service/register", """{"Name": "a", "Check": {"Args": ["sh"], "Interval": "10s"}}""", 400, "Scripts are disabled")]
    [InlineData("PUT", "agent/service/register", """{"Name": "a", "Check": {"TTL": "10 parsecs"}}""", 400, "Check.TTL is no duration")]
    [InlineData("PUT", "agent/service/register", """{"Name": "a", "Checks": [{"TTL": "1s", "TCP": "a:1"}]}""", 400, "only one of")]
    [InlineData("POST", "agent/service/register", "{}", 405, "not allowed")]
    [InlineData("PUT", "agent/service/deregister/nobody", null, 404, "Unknown service ID")]
    [InlineData("PUT", "agent/check/pass/nobody", null, 404, "Unknown check ID")]
    [InlineData("GET", "agent/service/nobody", null, 404, "unknown service ID")]
    [InlineData("GET", "health/service/a?index=x", null, 400, "Invalid index")]
    [InlineData("GET", "health/service/a?index=1&wait=soon", null, 400, "Invalid wait")]
    [InlineData("GET", "health/service/a?filter=(", null, 400, "filter")]
    [InlineData("GET", "health/service/a?dc=elsewhere", null, 500, "No path to datacenter")]
    [InlineData("GET", "health/state/well", null, 400, "Invalid check state")]
    [InlineData("GET", "kv/none", null, 404, "")]
    [InlineData("PUT", "kv/a?cas=1&acquire=x", "", 400, "Conflicting flags")]
    [InlineData("PUT", "kv/a?acquire=nobody", "", 500, "invalid session")]
    [InlineData("PUT", "catalog/register", """{"Node": "n"}""", 400, "Must provide node and address")]
    [InlineData("GET", "nonsense", null, 404, "Invalid URL path")]
    [InlineData("PUT", "agent/service/register", """{"Name": "a", "Check": {"AliasService": "b"}}""", 400, "AliasService: this kind of check is not served; use a TTL, HTTP, TCP or gRPC check")]
    [InlineData("PUT", "agent/service/register", """{"Name": "a", "Check": {"UDP": "a:1", "Interval": "1s"}}""", 400, "UDP: this kind of check is not served")]
    [InlineData("PUT", "agent/service/register", """{"Name": "a", "Check": {"H2PING": "a:1", "Interval": "1s"}}""", 400, "H2PING: this kind of check is not served")]
    [InlineData("PUT", "agent/service/register", """{"Name": "a", "Check": {"OSService": "a", "Interval": "1s"}}""", 400, "OSService: this kind of check is not served")]
    [InlineData("POST", "query", "{}", 404, "prepared queries are not served: ask health/service/NAME?passing")]
    [InlineData("PUT", "event/fire/deploy", null, 404, "events are not served: watch a key of kv")]
    [InlineData("GET", "connect/ca/roots", null, 404, "Consul's own mesh is not served")]
    [InlineData("GET", "health/connect/web", null, 404, "Consul's own mesh is not served")]
    [InlineData("GET", "config/service-defaults", null, 404, "configuration entries are not served")]
    [InlineData("GET", "acl/tokens", null, 404, "ACLs are not served")]
    public async Task Says_what_is_wrong(string method, string path, string? body, int status, string why)
    {
        await using var host = await RegistryHost.StartAsync();
        var answer = await host.AskAsync(method, path, body);
        Assert.Equal(status, answer.Status);
        Assert.Contains(why, answer.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_value_above_the_limit_is_refused_and_one_at_it_is_not()
    {
        await using var host = await RegistryHost.StartAsync();
        Assert.Equal(200, (await host.AskAsync("PUT", "kv/large", new byte[512 * 1024])).Status);
        Assert.Equal(413, (await host.AskAsync("PUT", "kv/large", new byte[512 * 1024 + 1])).Status);
    }

    [Fact]
    public async Task The_catalog_takes_nodes_that_are_elsewhere()
    {
        await using var host = await RegistryHost.StartAsync();
        await host.PutAsync("catalog/register", """{"Node": "db-host", "Address": "192.0.2.7", "Service": {"Service": "db", "Port": 5432}, "Check": {"CheckID": "up", "Name": "up", "ServiceID": "db", "Status": "passing"}}""");
        var entry = (await host.GetAsync("health/service/db?passing"))[0]!;
        Assert.Equal(("192.0.2.7", 5432), ((string?)entry["Node"]!["Address"], (int)entry["Service"]!["Port"]!));
        Assert.Equal(["db-host", "node-1"], (await host.GetAsync("catalog/nodes")).AsArray().Select(node => (string?)node!["Node"]));
        Assert.Equal("up", (string?)(await host.GetAsync("health/node/db-host"))[0]!["CheckID"]);
        await host.PutAsync("catalog/deregister", """{"Node": "db-host"}""");
        Assert.Empty((await host.GetAsync("catalog/service/db")).AsArray());
        Assert.Single((await host.GetAsync("catalog/nodes")).AsArray());
    }

    [Fact]
    public async Task A_nodes_services_are_listed_with_it_and_filtered()
    {
        await using var host = await RegistryHost.StartAsync();
        await host.PutAsync("agent/service/register", """{"Name": "web", "Port": 80}""");
        await host.PutAsync("agent/service/register", """{"Name": "db", "Port": 5432}""");
        var all = await host.GetAsync("catalog/node-services/node-1");
        Assert.Equal("node-1", (string?)all["Node"]!["Node"]);
        Assert.Equal(["db", "web"], all["Services"]!.AsArray().Select(service => (string?)service!["Service"]));
        Assert.Equal(["db"], (await host.GetAsync("catalog/node-services/node-1?filter=" + Uri.EscapeDataString("Port == 5432")))["Services"]!.AsArray().Select(service => (string?)service!["Service"]));
        Assert.Equal("""{"Node":null,"Services":[]}""", (await host.AskAsync("GET", "catalog/node-services/nobody")).Text);
    }

    [Fact]
    public async Task An_agent_says_who_it_is()
    {
        await using var host = await RegistryHost.StartAsync();
        Assert.Equal("node-1", (string?)(await host.GetAsync("agent/self"))["Config"]!["NodeName"]);
        Assert.Single((await host.GetAsync("agent/members")).AsArray());
        Assert.Equal("\"10.0.0.1:8300\"", (await host.AskAsync("GET", "status/leader")).Text);
        Assert.Equal("""["dc1"]""", (await host.AskAsync("GET", "catalog/datacenters")).Text);
    }

    [Fact]
    public async Task A_page_of_another_site_is_refused()
    {
        await using var host = await RegistryHost.StartAsync();
        using var rebound = new HttpRequestMessage(HttpMethod.Get, "catalog/services") { Headers = { Host = "evil.example" } };
        Assert.Equal(HttpStatusCode.Forbidden, (await host.Http.SendAsync(rebound)).StatusCode);
        using var form = new HttpRequestMessage(HttpMethod.Put, "kv/a") { Headers = { { "Origin", "http://evil.example" } } };
        Assert.Equal(HttpStatusCode.Forbidden, (await host.Http.SendAsync(form)).StatusCode);
    }

    [Fact]
    public void Elsewhere_one_looks_and_with_the_token_one_writes()
    {
        var access = new RegistryAccess("secret", [IPNetwork.Parse("10.244.0.0/16")]);
        Assert.True(access.Hears(IPAddress.Parse("10.244.3.4")) && access.Hears(IPAddress.Loopback) && access.Hears(IPAddress.Parse("::ffff:10.244.3.4")));
        Assert.False(access.Hears(IPAddress.Parse("192.0.2.1")));
        Assert.Equal(CallerRights.All, Rights("127.0.0.1", null));
        Assert.Equal(CallerRights.Look, Rights("10.244.0.7", null));
        Assert.Equal(CallerRights.All, Rights("10.244.0.7", "secret"));
        Assert.Equal(CallerRights.WrongToken, Rights("10.244.0.7", "guess"));

        CallerRights Rights(string from, string? token)
        {
            var context = new Microsoft.AspNetCore.Http.DefaultHttpContext { Connection = { RemoteIpAddress = IPAddress.Parse(from) } };
            if (token is not null)
                context.Request.Headers["X-Consul-Token"] = token;
            return access.Of(context);
        }
    }

    [Fact]
    public async Task Every_write_from_elsewhere_needs_the_token()
    {
        await using var host = await RegistryHost.StartAsync();
        await host.PutAsync("agent/service/register", """{"Name": "a", "Check": {"TTL": "10s"}}""");
        var api = new ConsulApi(host.Registry, host.Process.Checks, new RegistryAccess("secret", []), TimeProvider.System, Seeded.Random(1), () => 0, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
        string[] writes =
        [
            "PUT agent/service/register", "PUT agent/service/deregister/a", "PUT agent/service/maintenance/a", "PUT agent/check/register", "PUT agent/check/deregister/service:a", "PUT agent/check/pass/service:a",
            "PUT agent/check/warn/service:a", "PUT agent/check/fail/service:a", "PUT agent/check/update/service:a", "PUT catalog/register", "PUT catalog/deregister", "PUT session/create", "PUT session/destroy/x",
            "PUT session/renew/x", "GET session/list", "GET kv/a", "PUT kv/a", "DELETE kv/a", "PUT txn",
        ];
        foreach (var write in writes)
            Assert.Equal((write, 403), (write, await AskAsync(write)));
        Assert.Equal(200, await AskAsync("GET health/service/a"));

        async Task<int> AskAsync(string what)
        {
            var context = new Microsoft.AspNetCore.Http.DefaultHttpContext { Connection = { RemoteIpAddress = IPAddress.Parse("10.244.0.7") } };
            (context.Request.Method, context.Request.Path) = (what.Split(' ')[0], "/v1/" + what.Split(' ')[1]);
            context.Request.Host = new("10.244.0.1", 8500);
            context.Response.Body = new MemoryStream();
            await api.HandleAsync(context);
            return context.Response.StatusCode;
        }
    }

    [Theory]
    [InlineData("Service.Tags contains v1", true)]
    [InlineData("Service.Tags not contains v1", false)]
    [InlineData("\"v1\" in Service.Tags", true)]
    [InlineData("v2 not in Service.Tags", true)]
    [InlineData("Service.Meta[\"zone\"] == a", true)]
    [InlineData("Service.Meta.zone != a", false)]
    [InlineData("not (Service.Port == 80 or Service.Meta.zone == b)", true)]
    [InlineData("Service.Port == 8080 and Service.Meta is not empty", true)]
    [InlineData("Service.Address is empty", true)]
    [InlineData("Service.Service matches \"^or.*s$\"", true)]
    public void Filters(string filter, bool expected) => Assert.Equal(
        expected, FilterExpression.Parse(filter).IsTrue(JsonNode.Parse("""{"Service": {"Service": "orders", "Tags": ["v1"], "Meta": {"zone": "a"}, "Port": 8080, "Address": ""}}""")!));

    [Theory]
    [InlineData("")]
    [InlineData("a ==")]
    [InlineData("a == \"b")]
    [InlineData("a like b")]
    [InlineData("a == b c")]
    [InlineData("a matches \"(\"")]
    [InlineData("((((((((((((((((((((((((((((((((((((a == b))))))))))))))))))))))))))))))))))))")]
    public void Refuses_what_is_no_filter(string filter) => Assert.Equal(400, Assert.Throws<RegistryException>(() => FilterExpression.Parse(filter)).Status);

    [Theory]
    [InlineData("1m30s", 90)]
    [InlineData("1.5s", 1.5)]
    [InlineData("100ms", 0.1)]
    [InlineData("0", 0)]
    public void Reads_durations(string text, double seconds) => Assert.Equal(TimeSpan.FromSeconds(seconds), GoDuration.Parse(text));

    [Theory]
    [InlineData("")]
    [InlineData("s")]
    [InlineData("5")]
    [InlineData("-5s")]
    [InlineData("99999999999999h")]
    [InlineData("1.2.3s")]
    public void Refuses_what_is_no_duration(string text) => Assert.Null(GoDuration.Parse(text));
}
