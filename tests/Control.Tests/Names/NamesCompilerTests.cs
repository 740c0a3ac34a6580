using System.Text;
using Weft.Api;
using Weft.Api.Core;
using Weft.Api.Discovery;
using Weft.Control.Names;
using Weft.Proxy.Config;

namespace Weft.Control.Tests.Names;

public sealed class NamesCompilerTests
{
    [Fact]
    public void A_service_becomes_its_addresses_and_ports() => AssertUnit("Service/shop/web", """{"addresses":["10.96.1.2"],"ports":[{"name":"http","protocol":"tcp","port":80},{"name":"","protocol":"udp","port":53}]}""",
        NamesCompiler.Compile(Service(new() { ClusterIP = "10.96.1.2", ClusterIPs = ["10.96.1.2"], Ports = [new() { Name = "http", Port = 80, TargetPort = 8080 }, new() { Port = 53, Protocol = "UDP" }] })));

    [Fact]
    public void A_headless_service_has_no_address() => AssertUnit("Service/shop/web", """{"addresses":[],"headless":true,"ports":[]}""",
        NamesCompiler.Compile(Service(new() { ClusterIP = "None", ClusterIPs = ["None"] })));

    [Fact]
    public void An_external_name_is_nothing_else() => AssertUnit("Service/shop/web", """{"addresses":[],"externalName":"example.com","ports":[]}""",
        NamesCompiler.Compile(Service(new() { Type = "ExternalName", ExternalName = "example.com" })));

    [Fact]
    public void An_endpoint_whose_readiness_is_not_said_is_ready() => AssertUnit("Endpoints/shop/web-abc",
        """{"service":"web","ports":[{"name":"http","protocol":"tcp","port":8080}],"endpoints":[{"addresses":["10.244.0.7"],"hostname":"web-0","ready":true},{"addresses":["10.244.0.8"]},{"addresses":["10.244.0.9"],"ready":true}]}""",
        NamesCompiler.Compile(Slice("IPv4")));

    [Fact]
    public void A_slice_of_names_or_of_no_service_is_left_out()
    {
        Assert.Null(NamesCompiler.Compile(Slice("FQDN")));
        var slice = Slice("IPv4");
        Assert.Null(NamesCompiler.Compile(slice with { Metadata = slice.Metadata with { Labels = new Dictionary<string, string>() } }));
    }

    [Fact]
    public void A_pod_that_has_ended_has_no_name()
    {
        AssertUnit("Pod/shop/p", """{"addresses":["10.244.0.7"]}""", NamesCompiler.Compile(Pod("Running", "10.244.0.7")));
        Assert.Null(NamesCompiler.Compile(Pod("Succeeded", "10.244.0.7")));
        Assert.Null(NamesCompiler.Compile(Pod("Pending", null)));
    }

    private static void AssertUnit(string key, string json, ConfigUnit? unit)
    {
        Assert.NotNull(unit);
        Assert.Equal(key, unit.Key.ToString());
        Assert.Equal(json, Encoding.UTF8.GetString(unit.Bytes.Span));
    }

    private static Service Service(ServiceSpec spec) => new() { Metadata = new() { Namespace = "shop", Name = "web" }, Spec = spec };

    private static Pod Pod(string phase, string? address) => new()
    {
        Metadata = new() { Namespace = "shop", Name = "p" }, Status = new() { Phase = phase, PodIP = address, PodIPs = address is null ? [] : [new() { Ip = address }] },
    };

    private static EndpointSlice Slice(string type) => new()
    {
        Metadata = new() { Namespace = "shop", Name = "web-abc", Labels = new Dictionary<string, string> { ["kubernetes.io/service-name"] = "web" } },
        AddressType = type,
        Ports = [new() { Name = "http", Port = 8080, Protocol = "TCP" }],
        Endpoints =
        [
            new() { Addresses = ["10.244.0.7"], Hostname = "web-0" },
            new() { Addresses = ["10.244.0.8"], Conditions = new() { Ready = false } },
            new() { Addresses = ["10.244.0.9"], Conditions = new() { Ready = true } },
        ],
    };
}
