using Weft.Testing;

namespace Weft.Control.Tests.Discovery;

/// <summary>gRPC checks, with the health protocol's server.</summary>
public sealed class GrpcCheckTests
{
    [Fact]
    public async Task A_check_follows_what_the_server_says_of_itself_and_of_its_services()
    {
        await using var host = await RegistryHost.StartAsync();
        await using var server = await HealthServer.StartAsync();
        server.Services["shop"] = true;
        await host.PutAsync("agent/service/register", $$"""{"Name": "whole", "Check": {"GRPC": "{{server.Address}}", "Interval": "1s"} }""");
        await host.PutAsync("agent/service/register", $$"""{"Name": "shop", "Check": {"GRPC": "{{server.Address}}/shop", "Interval": "1s"} }""");
        await host.PutAsync("agent/service/register", $$"""{"Name": "none", "Check": {"GRPC": "{{server.Address}}/none", "Interval": "1s", "Status": "passing"} }""");
        await PassesAsync(host, "whole", true);
        await PassesAsync(host, "shop", true);
        Assert.Equal($"gRPC check {server.Address}/shop: success", await OutputAsync(host, "shop"));
        await PassesAsync(host, "none", false);
        Assert.Equal($"gRPC check {server.Address}/none: not serving (HTTP 200, gRPC status 5)", await OutputAsync(host, "none"));

        server.Services["shop"] = false;
        await PassesAsync(host, "shop", false);
        await PassesAsync(host, "whole", true);
        server.Services["shop"] = true;
        await PassesAsync(host, "shop", true);
        await server.DisposeAsync();
        await PassesAsync(host, "shop", false);
        Assert.Equal("critical", (string?)(await host.GetAsync("health/state/critical"))[0]!["Status"]);
    }

    [Fact]
    public async Task With_tls_the_certificate_counts_unless_it_is_not_to()
    {
        await using var host = await RegistryHost.StartAsync();
        await using var server = await HealthServer.StartAsync(hasTls: true);
        await host.PutAsync("agent/service/register", $$"""{"Name": "trusting", "Check": {"GRPC": "{{server.Address}}", "GRPCUseTLS": true, "TLSSkipVerify": true, "Interval": "1s"} }""");
        await host.PutAsync("agent/service/register", $$"""{"Name": "strict", "Check": {"GRPC": "{{server.Address}}", "GRPCUseTLS": true, "Interval": "1s", "Status": "passing"} }""");
        await PassesAsync(host, "trusting", true);
        await PassesAsync(host, "strict", false);
    }

    private static Task PassesAsync(RegistryHost host, string name, bool passes) =>
        Eventually.TrueAsync(async () => await host.PassingAsync(name) == (passes ? 1 : 0), $"{name} passes: {passes}", null);

    private static async Task<string?> OutputAsync(RegistryHost host, string name) => (string?)(await host.GetAsync("agent/checks"))[$"service:{name}"]!["Output"];
}
