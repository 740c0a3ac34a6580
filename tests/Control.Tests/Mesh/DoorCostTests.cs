using System.Diagnostics;
using System.Globalization;
using Weft.Api.Networking;
using Weft.Control.Mesh;
using Weft.Control.Mesh.Inputs;
using Istio = Weft.Api.Istio;

namespace Weft.Control.Tests.Mesh;

/// <summary>What a change of one route of the front door costs the compiler where there are 10,000: what it touches, and a pass over references for the others.</summary>
public sealed class DoorCostTests
{
    private const int Steps = 20;

    // Twice what was measured. An Ingress of ten hosts is compiled host by host.
    [Theory]
    [InlineData(100, 10, 10, 2_800_000)]
    [InlineData(1_000, 1, 10, 900_000)]
    [InlineData(10_000, 1, 1, 5_000_000)]
    public void Of_an_ingress(int ingresses, int hosts, int paths, long budget)
    {
        var inputs = World() with { Ingresses = [.. Enumerable.Range(0, ingresses).Select(i => Ingress(i, hosts, paths, 0))] };
        AssertBelow(budget, inputs, (before, generation) => before with { Ingresses = before.Ingresses.SetItem(0, Ingress(0, hosts, paths, generation)) });
    }

    [Theory]
    [InlineData(1_000, 10, 800_000)]
    [InlineData(10_000, 1, 2_200_000)]
    public void Of_a_virtual_service(int services, int routes, long budget)
    {
        var door = new Istio.Gateway { Metadata = new() { Name = "door", Namespace = "shop" }, Spec = new() { Servers = [new() { Port = new() { Number = 80, Protocol = "HTTP" }, Hosts = ["*"] }] } };
        var inputs = World() with { Gateways = [door], VirtualServices = [.. Enumerable.Range(0, services).Select(i => Rules(i, routes, 0))] };
        AssertBelow(budget, inputs, (before, generation) => before with { VirtualServices = before.VirtualServices.SetItem(0, Rules(0, routes, generation)) });
    }

    private static void AssertBelow(long budget, MeshInputs inputs, Func<MeshInputs, int, MeshInputs> change)
    {
        var snapshot = MeshCompiler.Compile(inputs);
        var generation = 0;
        Change();
        var (allocated, started) = (GC.GetAllocatedBytesForCurrentThread(), Stopwatch.GetTimestamp());
        Change();
        var each = (GC.GetAllocatedBytesForCurrentThread() - allocated) / Steps;
        TestContext.Current.TestOutputHelper?.WriteLine($"{each} bytes, {Stopwatch.GetElapsedTime(started).TotalMilliseconds / Steps:0.00} ms, {snapshot.Compiled} parts compiled");
        Assert.Single(snapshot.Changes.Values, unit => unit is not null && UnitText.Of(unit).Contains($"/g{generation}", StringComparison.Ordinal));
        Assert.InRange(each, 1, budget);

        void Change()
        {
            for (var i = 0; i < Steps; i++)
                snapshot = MeshCompiler.Compile(inputs = change(inputs, ++generation), snapshot);
        }
    }

    private static MeshInputs World() => MeshCase.Read(System.IO.Path.Combine(MeshCase.Folder(), "world.yaml")).Inputs;

    private static string Name(string kind, int number) => string.Create(CultureInfo.InvariantCulture, $"{kind}{number}");

    private static Istio.VirtualService Rules(int number, int routes, int generation) => new()
    {
        Metadata = new() { Name = Name("v", number), Namespace = "shop" },
        Spec = new()
        {
            Hosts = [$"v{number}.example.com"], Gateways = ["door"],
            Http = [.. Enumerable.Range(0, routes).Select(i => new Istio.HTTPRoute { Match = [new() { Uri = new() { Prefix = i == 0 ? $"/g{generation}" : $"/p{i}" } }], Route = [new() { Destination = new() { Host = "web" } }] })],
        },
    };

    private static Ingress Ingress(int number, int hosts, int paths, int generation) => new()
    {
        Metadata = new() { Name = Name("i", number), Namespace = "shop" },
        Spec = new()
        {
            Rules = [.. Enumerable.Range(0, hosts).Select(host => new IngressRule
            {
                Host = $"h{host}.i{number}.example.com",
                Http = new() { Paths = [.. Enumerable.Range(0, paths).Select(path => Path(host == 0 && path == 0 ? $"/g{generation}" : $"/p{path}"))] },
            })],
        },
    };

    private static HTTPIngressPath Path(string path) => new() { Path = path, PathType = "Prefix", Backend = new() { Service = new() { Name = "web", Port = new() { Number = 80 } } } };
}
