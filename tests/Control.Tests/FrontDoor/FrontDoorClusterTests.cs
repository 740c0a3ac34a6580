using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Core;
using Weft.Api.Discovery;
using Weft.Api.Networking;
using Weft.Client;
using Weft.Control.Mesh;
using Weft.Control.Mesh.Inputs;
using Weft.Control.Tests.Cluster;
using Weft.Testing;

namespace Weft.Control.Tests.FrontDoor;

/// <summary>The controller of the front door with the real API server and its own rights.</summary>
public sealed class FrontDoorClusterTests
{
    private static readonly ObjectKey Door = new("istio-system", "istio-ingressgateway");

    private static readonly ObjectKey Web = new("default", "web");

    [Fact]
    public async Task The_door_is_there_as_long_as_something_listens_and_ingresses_say_where()
    {
        await using var cluster = await TestCluster.StartAsync();
        var (services, ingresses) = (cluster.Client.For<Service>(), cluster.Client.For<Ingress>());
        await NodeAsync(cluster, "n1", "10.244.0.0/24");
        await NodeAsync(cluster, "n2", "10.244.1.0/24");
        var made = await Eventually.ValueAsync(() => cluster.Client.For<IngressClass>().FindAsync(new ObjectKey("", "weft"), default), "the class is made at start");
        Assert.Equal("weft.dev/front-door true", $"{made.Spec.Controller} {made.Metadata.Annotations["ingressclass.kubernetes.io/is-default-class"]}");

        await ingresses.CreateAsync("default", Ingress(), default);
        Assert.Null(await services.FindAsync(Door, default));
        await PublishAsync(cluster);
        var service = await Eventually.ValueAsync(async () => await services.FindAsync(Door, default) is { Status.LoadBalancer.Ingress.Count: 1 } door ? door : null, "the Service has its address");
        var address = service.Status.LoadBalancer!.Ingress[0].Ip;
        await Eventually.TrueAsync(async () => (await ingresses.GetAsync(Web, default)).Status.LoadBalancer?.Ingress.SingleOrDefault()?.Ip == address, "the Ingress says where it is reached");
        await Eventually.TrueAsync(async () => await EndpointsAsync(cluster) == "http-80/80 n1=10.244.0.1 n2=10.244.1.1", "each node is an endpoint", () => string.Join('\n', cluster.Complaints));
        await Eventually.TrueAsync(async () => (await cluster.Client.For<Event>().ListAsync("default", default)).Items.Any(e => e is { Reason: "Invalid", Type: "Warning" } && e.Message!.Contains("no Service 'web'", StringComparison.Ordinal)), "what is wrong is an Event");

        // The owner's node port stays, whatever else changes.
        var nodePort = service.Spec.Ports[0].NodePort == 31234 ? 31235 : 31234;
        await services.PatchAsync(Door, Patch.Strategic(new JsonObject { ["spec"] = new JsonObject { ["ports"] = new JsonArray(new JsonObject { ["port"] = 80, ["nodePort"] = nodePort }) } }), default);
        await PublishAsync(cluster, withGateway: true);
        await Eventually.TrueAsync(async () => string.Join(' ', (await services.GetAsync(Door, default)).Spec.Ports.Select(port => port.Name)) == "http-80 tcp-9000", "the new listener has a port");
        Assert.Equal(nodePort, (await services.GetAsync(Door, default)).Spec.Ports[0].NodePort);

        await cluster.Client.For<Node>().DeleteAsync(new ObjectKey("", "n2"), default);
        await Eventually.TrueAsync(async () => await EndpointsAsync(cluster) == "http-80/80 tcp-9000/9000 n1=10.244.0.1", "the node is gone");

        await ingresses.DeleteAsync(Web, default);
        await PublishAsync(cluster);
        await Eventually.TrueAsync(async () => await services.FindAsync(Door, default) is null, "nothing listens, and nothing is left");
        Assert.DoesNotContain(cluster.Complaints, line => line.Contains("front-door", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_namespace_of_mesh_wide_policies_is_there_before_anything_listens()
    {
        await using var cluster = await TestCluster.StartAsync();
        await PublishAsync(cluster);
        await Eventually.ValueAsync(() => cluster.Client.For<Namespace>().FindAsync(new ObjectKey("", "istio-system"), default), "it is made when the mesh is first compiled");
        Assert.Null(await cluster.Client.For<Service>().FindAsync(Door, default));
    }

    [Fact]
    public async Task A_service_of_somebody_else_with_the_name_is_left_alone()
    {
        await using var cluster = await TestCluster.StartAsync();
        await cluster.Client.For<Namespace>().CreateAsync(null, new Namespace { Metadata = new() { Name = "istio-system" } }, default);
        await cluster.Client.For<Service>().CreateAsync("istio-system", new Service { Metadata = new() { Name = Door.Name }, Spec = new() { Ports = [new() { Port = 15021 }] } }, default);
        await cluster.Client.For<Ingress>().CreateAsync("default", Ingress(), default);
        await PublishAsync(cluster);
        await Eventually.TrueAsync(async () => (await cluster.Client.For<Event>().ListAsync("istio-system", default)).Items.Any(e => e.Reason == "NotTheFrontDoor"), "it is told");
        Assert.Equal(15021, Assert.Single((await cluster.Client.For<Service>().GetAsync(Door, default)).Spec.Ports).Port);
    }

    private static Ingress Ingress() => new()
    {
        Metadata = new() { Name = "web", Namespace = "default" },
        Spec = new()
        {
            IngressClassName = "weft",
            Rules = [new() { Host = "a.example", Http = new() { Paths = [new() { Path = "/", PathType = "Prefix", Backend = new() { Service = new() { Name = "web", Port = new() { Number = 80 } } } }] } }],
        },
    };

    // As the feed does it: what is in the cluster is compiled.
    private static async Task PublishAsync(TestCluster cluster, bool withGateway = false)
    {
        var inputs = new MeshInputs { Ingresses = [.. (await cluster.Client.For<Ingress>().ListAsync(null, default)).Items] };
        if (withGateway)
        {
            inputs = inputs with
            {
                Gateways = [new() { Metadata = new() { Name = "tcp", Namespace = "default" }, Spec = new() { Servers = [new() { Port = new() { Number = 9000, Protocol = "TCP" }, Hosts = ["*"] }] } }],
                VirtualServices = [new() { Metadata = new() { Name = "tcp", Namespace = "default" }, Spec = new() { Hosts = ["*"], Gateways = ["tcp"], Tcp = [new() { Route = [new() { Destination = new() { Host = "web" } }] }] } }],
            };
        }

        cluster.Door.Publish(MeshCompiler.Compile(inputs));
    }

    private static async Task NodeAsync(TestCluster cluster, string name, string range)
    {
        await cluster.Client.For<Node>().CreateAsync(null, new Node { Metadata = new() { Name = name }, Spec = new() { PodCIDR = range, PodCIDRs = [range] } }, default);
        await cluster.Client.For<Node>().PatchStatusAsync(new ObjectKey("", name), Patch.Merge(new JsonObject
        {
            ["status"] = new JsonObject { ["conditions"] = new JsonArray(new JsonObject { ["type"] = "Ready", ["status"] = "True", ["reason"] = "KubeletReady", ["lastTransitionTime"] = "2026-01-02T03:04:05Z" }) },
        }), default);
    }

    private static async Task<string> EndpointsAsync(TestCluster cluster)
    {
        var slices = (await cluster.Client.For<EndpointSlice>().ListAsync("istio-system", default)).Items;
        return slices.Count != 1 ? $"{slices.Count} slices"
            : string.Join(' ', slices[0].Ports.Select(port => $"{port.Name}/{port.Port}").Concat(slices[0].Endpoints.OrderBy(endpoint => endpoint.NodeName, StringComparer.Ordinal).Select(endpoint => $"{endpoint.NodeName}={endpoint.Addresses[0]}")));
    }
}
