using Microsoft.Extensions.Logging.Abstractions;
using Weft.Node.Network.Mesh;
using Weft.Testing;

namespace Weft.Node.Tests.Network.Mesh;

public sealed class MeshRegistrarTests : IDisposable
{
    private readonly TempDir _dir = new();

    private string SocketPath => _dir.File("mesh.sock");

    // The proxy's tests have the same lines.
    private const string First = """{"do":"add","pod":{"uid":"u1","addresses":["10.1.0.2"],"namespace":"shop","name":"web-1","serviceAccount":"web","labels":{"app":"web"}}}""";

    [Fact]
    public async Task All_pods_are_told_first_then_what_changes()
    {
        await using var proxy = new FakeRegistry(SocketPath);
        await using var registrar = Registrar(Pod("u1"));
        await Eventually.EndsAsync(registrar.RegisterAsync(Pod("u1")));
        Assert.Equal(["""{"do":"begin"}""", First, """{"do":"end"}"""], proxy.Lines);
        Assert.Null(registrar.Trouble);

        await Eventually.EndsAsync(registrar.RegisterAsync(Pod("u2")));
        Assert.Contains("\"uid\":\"u2\"", proxy.Lines[^1]);
        await Eventually.EndsAsync(registrar.RegisterAsync(Pod("u2") with { Labels = new Dictionary<string, string> { ["app"] = "other" } }));
        Assert.Contains("\"app\":\"other\"", proxy.Lines[^1]);
        registrar.Unregister("u1");
        await Eventually.TrueAsync(() => proxy.Lines[^1] == """{"do":"remove","uid":"u1"}""");
    }

    [Fact]
    public async Task A_pod_waits_for_a_proxy_that_is_away_and_one_that_comes_anew_hears_all_again()
    {
        await using var registrar = Registrar();
        var waiting = registrar.RegisterAsync(Pod("u1"));
        await Eventually.TrueAsync(() => registrar.Trouble is not (null or "it was not reached yet"));
        Assert.False(waiting.IsCompleted);

        await using (new FakeRegistry(SocketPath))
            await Eventually.EndsAsync(waiting);
        registrar.Unregister("gone");
        await Eventually.TrueAsync(() => registrar.Trouble is not null);

        await using var next = new FakeRegistry(SocketPath);
        await Eventually.TrueAsync(() => registrar.Trouble is null);
        Assert.Equal(["""{"do":"begin"}""", First, """{"do":"end"}"""], next.Lines);
    }

    [Fact]
    public async Task A_pod_that_is_refused_keeps_nobody_else_waiting()
    {
        await using var proxy = new FakeRegistry(SocketPath, line => line.Contains("\"u1\"", StringComparison.Ordinal) ? "labels: too many" : null);
        await using var registrar = Registrar(Pod("u1"), Pod("u2"));

        await Eventually.EndsAsync(registrar.RegisterAsync(Pod("u2")));
        await Eventually.EndsAsync(registrar.RegisterAsync(Pod("u3")));
        var refused = await Assert.ThrowsAsync<IOException>(() => registrar.RegisterAsync(Pod("u1")));
        Assert.Contains("labels: too many", refused.Message);
    }

    [Fact]
    public async Task The_proxy_is_asked_how_many_requests_it_has_sent()
    {
        await using var registrar = Registrar(Pod("u1"));
        var away = await Assert.ThrowsAsync<IOException>(() => registrar.RequestsAsync(CancellationToken.None));
        Assert.Contains("does not answer", away.Message);
        await using (var proxy = new FakeRegistry(SocketPath) { Requests = """{"requests":{"10.1.0.2":7}}""" })
        {
            await Eventually.TrueAsync(() => registrar.Trouble is null);
            Assert.Equal(7, (await registrar.RequestsAsync(CancellationToken.None))["10.1.0.2"]);
            await Eventually.EndsAsync(registrar.RegisterAsync(Pod("u2")));
            Assert.Equal(7, (await registrar.RequestsAsync(CancellationToken.None))["10.1.0.2"]);
        }

        await Eventually.TrueAsync(() => registrar.Trouble is not null);
        // One of an earlier version knows no such order.
        await using var old = new FakeRegistry(SocketPath) { Requests = """{"error":"'requests' is no order, or lacks a part"}""" };
        await Eventually.TrueAsync(() => registrar.Trouble is null);
        Assert.Contains("no order", (await Assert.ThrowsAsync<IOException>(() => registrar.RequestsAsync(CancellationToken.None))).Message);
        Assert.Null(registrar.Trouble);
    }

    private MeshRegistrar Registrar(params MeshedPod[] pods) => new(SocketPath, pods, TimeProvider.System, NullLogger.Instance);

    private static MeshedPod Pod(string uid) => new()
    {
        Uid = uid, Addresses = ["10.1.0.2"], Namespace = "shop", Name = "web-1", ServiceAccount = "web", Labels = new Dictionary<string, string> { ["app"] = "web" },
    };

    public void Dispose() => _dir.Dispose();
}
