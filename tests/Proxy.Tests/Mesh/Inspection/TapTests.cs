using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Inspection;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;
using Weft.Testing;

namespace Weft.Proxy.Tests.Mesh.Inspection;

/// <summary>What a node's proxy tells of requests, over the socket that its agent asks on.</summary>
public sealed class TapTests : IAsyncLifetime
{
    private const string Client = "127.1.0.1", Service = "127.2.0.1", Name = "a.shop.svc.cluster.local";
    private readonly TempDir _dir = new();
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly MeshBed _bed;
    private readonly Pod _pod = new("pod", "127.1.0.11");

    public TapTests()
    {
        _listener.Bind(new UnixDomainSocketEndPoint(Path.Combine(_dir.Path, "inspect.sock")));
        _listener.Listen(8);
        _bed = new MeshBed(inspection: _listener);
    }

    public ValueTask InitializeAsync()
    {
        _bed.Apply([
            MeshBed.Workload("front-5d4f-x7k2p", Client, "front", more: unit => unit with { Labels = new ValueMap([new("pod-template-hash", "5d4f")]) }),
            MeshBed.Workload("pod", _pod.Address), .. MeshBed.Host(Name, Service, 80, PortProtocol.Http, MeshBed.Endpoint(_pod)),
        ]);
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _bed.DisposeAsync();
        _listener.Dispose();
        _pod.Dispose();
        _dir.Dispose();
    }

    private StreamReader Ask(string order)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Connect(new UnixDomainSocketEndPoint(Path.Combine(_dir.Path, "inspect.sock")));
        socket.Send(Encoding.UTF8.GetBytes(order + "\n"));
        return new StreamReader(new NetworkStream(socket, ownsSocket: true));
    }

    private static InspectionLine Read(string line) => JsonSerializer.Deserialize(line, InspectionJson.Default.InspectionLine)!;

    private static async Task<List<InspectionLine>> AllAsync(StreamReader reader)
    {
        using var own = reader;
        return [.. (await reader.ReadToEndAsync().WaitAsync(Eventually.Deadline)).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(Read)];
    }

    // It is closed with something unread: a reset, before or after its refusal.
    private static async Task ReadToTheEndAsync(StreamReader reader)
    {
        while (await reader.ReadLineAsync() is not null)
        {
            // The refusal.
        }

        throw new IOException("closed");
    }

    private async Task<ObservedRequest> LastAsync(string filter = "{}")
    {
        ObservedRequest? found = null;
        await Eventually.TrueAsync(async () => (found = (await AllAsync(Ask($$"""{"do":"records","filter":{{filter}} }"""))).LastOrDefault()?.Request) is not null, "the request is remembered", null);
        return found!;
    }

    [Fact]
    public async Task A_request_is_shown_as_it_ends_with_both_sides_route_and_endpoint_and_without_its_secrets()
    {
        using var tap = Ask("""{"do":"tap"}""");
        Assert.Equal(MeshBed.Node, Read((await tap.ReadLineAsync())!).Node);
        Assert.Equal(200, _bed.Get(Client, Service, 80, "/buy?token=hunter2", "authorization: Bearer hunter2\r\nx-request-id: id-1\r\n").Status);
        string? line;
        while ((line = await tap.ReadLineAsync())?.Contains("request", StringComparison.Ordinal) == false)
        {
            // Nothing yet: the beat of a tap.
        }

        Assert.DoesNotContain("hunter2", line, StringComparison.Ordinal);
        var request = Read(line!).Request!;
        Assert.Equal(("out", "GET", "/buy?", 200, "id-1"), (request.Side, request.Method, request.Path, request.Status, request.RequestId));
        Assert.Equal(("shop", "front-5d4f-x7k2p", "front", "spiffe://cluster.local/ns/shop/sa/front"), (request.Source.Namespace, request.Source.Pod, request.Source.Workload, request.Source.Identity));
        Assert.Equal((Name, "shop", "pod", $"{_pod.Address}:{_pod.Port}"), (request.Destination.Host, request.Destination.Namespace, request.Destination.Pod, request.Destination.Address));
        Assert.Equal(("default", $"{Name}:80", "local"), (request.Route, request.Cluster, request.Security));
        Assert.Equal("answered", Assert.Single(request.Tries).Outcome);
    }

    [Fact]
    public async Task Who_gets_an_address_later_does_not_become_the_sender_or_receiver_of_what_was()
    {
        Assert.Equal(200, _bed.Get(Client, Service, 80, "/buy").Status);
        Assert.Equal("front-5d4f-x7k2p", (await LastAsync()).Source.Pod);
        _bed.Remove(new UnitKey(UnitKind.Workload, "shop/front-5d4f-x7k2p"));
        _bed.Remove(new UnitKey(UnitKind.Workload, "shop/pod"));
        _bed.Apply([MeshBed.Workload("spy", Client, "spy", "evil"), MeshBed.Workload("other", _pod.Address, "spy", "evil")]);
        Assert.DoesNotContain(await AllAsync(Ask("""{"do":"records","filter":{"namespace":"evil"}}""")), line => line.Request is not null);
        var still = await LastAsync("""{"namespace":"shop"}""");
        Assert.Equal(("shop", "front-5d4f-x7k2p", "shop"), (still.Source.Namespace, still.Source.Pod, still.Destination.Namespace));
    }

    [Fact]
    public async Task A_refusal_names_its_policy_and_rule()
    {
        _bed.Apply(UnitCodec.Policy("shop/closed", new PolicyUnit
        {
            Authorization = new AuthorizationPolicyConfig { Name = "shop/closed", Action = AuthorizationAction.Deny, Rules = [new AuthorizationRule { To = [new AuthorizationOperation { Paths = ["/no"] }] }, new AuthorizationRule { To = [new AuthorizationOperation { Paths = ["/buy"] }] }] },
        }), MeshBed.Workload("pod", _pod.Address, more: unit => unit with { Policies = ["shop/closed"] }));
        Assert.Equal(403, _bed.Get(Client, Service, 80, "/buy").Status);
        var refused = await LastAsync("""{"failed":true}""");
        Assert.Equal(("in", 403, "shop/closed", 1, "policy_denied"), (refused.Side, refused.Status, refused.Policy, refused.PolicyRule, refused.Detail));
        Assert.Equal(("front-5d4f-x7k2p", "pod"), (refused.Source.Pod, refused.Destination.Pod));
    }

    // A loop whose records nobody took in time has no room for more: they never came to who watches, who was told nothing.
    [Fact]
    public void Who_watches_is_told_how_many_requests_never_came_to_the_log()
    {
        var lost = 7L;
        var journal = new Weft.Proxy.Mesh.Inspection.RequestJournal(new(_bed.Proxy.Engine.Names.Texts, "n", () => Weft.Proxy.Mesh.State.MeshView.Empty), () => lost);
        var tap = journal.Watch(new RequestFilter())!;
        Assert.Equal(0, tap.TakeDropped());
        lost = 12;
        Assert.Equal((5, 0), (tap.TakeDropped(), tap.TakeDropped()));
    }

    [Fact]
    public async Task A_reader_that_stands_still_misses_requests_and_is_told_how_many()
    {
        var journal = _bed.Proxy.Journal;
        var tap = journal.Watch(new RequestFilter())!;
        for (var i = 0; i < Weft.Proxy.Mesh.Inspection.RequestJournal.Waiting + 5; i++)
            journal.Offer(new() { HttpVersion = 11, Status = 200 }, default);
        Assert.Equal((5, 0), (tap.TakeDropped(), tap.TakeDropped()));
        journal.End(tap);
        // What everybody may ask for later is there all the same.
        Assert.Equal(1000, journal.Recent(new RequestFilter(), 1000).Count);
        await Task.CompletedTask;
    }

    [Fact]
    public async Task Taps_are_bounded_and_one_too_many_is_told()
    {
        var taps = new List<StreamReader>();
        for (var i = 0; i < Weft.Proxy.Mesh.Inspection.RequestJournal.MostTaps; i++)
        {
            taps.Add(Ask("""{"do":"tap"}"""));
            Assert.Null(Read((await taps[^1].ReadLineAsync())!).Error);
        }

        Assert.Contains("watch the requests of this node already", Assert.Single(await AllAsync(Ask("""{"do":"tap"}"""))).Error, StringComparison.Ordinal);
        taps.ForEach(tap => tap.Dispose());
    }

    [Fact]
    public void The_oldest_make_room()
    {
        var journal = new Weft.Proxy.Mesh.Inspection.RequestJournal(new(_bed.Proxy.Engine.Names.Texts, "n", () => Weft.Proxy.Mesh.State.MeshView.Empty), () => 0, capacity: 4);
        for (short i = 0; i < 10; i++)
            journal.Offer(new() { HttpVersion = 11, Status = i }, new() { Method = "GET"u8, Path = "/"u8 });
        Assert.Equal([6, 7, 8, 9], journal.Recent(new RequestFilter(), 100).Select(request => request.Status));
        Assert.Equal([8, 9], journal.Recent(new RequestFilter(), 2).Select(request => request.Status));
    }

    [Fact]
    public async Task What_is_no_question_is_answered_so_and_metrics_are_one_line()
    {
        Assert.Contains("does not know", Assert.Single(await AllAsync(Ask("rubbish"))).Error, StringComparison.Ordinal);
        Assert.Contains("does not know", Assert.Single(await AllAsync(Ask("""{"do":"stop"}"""))).Error, StringComparison.Ordinal);
        Assert.Contains("status", Assert.Single(await AllAsync(Ask("""{"do":"records","filter":{"status":"bad"}}"""))).Error, StringComparison.Ordinal);
        Assert.Contains("weft_proxy_connections 0\n", Assert.Single(await AllAsync(Ask("""{"do":"metrics"}"""))).Metrics, StringComparison.Ordinal);
        using (var endless = Ask(new string('x', InspectionOrder.LongestLine + 10)))
            await Assert.ThrowsAnyAsync<IOException>(async () => await ReadToTheEndAsync(endless));
        Assert.Empty(await AllAsync(Ask("""{"do":"records"}""")));
    }
}
