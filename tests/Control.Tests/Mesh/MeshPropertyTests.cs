using System.Collections.Immutable;
using Weft.Api;
using Weft.Api.Discovery;
using Weft.Control.Mesh;
using Weft.Control.Mesh.Inputs;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Model;
using Istio = Weft.Api.Istio;

namespace Weft.Control.Tests.Mesh;

/// <summary>What holds for all inputs, tried on all cases of the goldens together with the world.</summary>
public sealed class MeshPropertyTests
{
    public static TheoryData<string> Cases => MeshGoldenTests.Cases;

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_order_of_the_inputs_does_not_matter(string name)
    {
        var inputs = Inputs(name);
        var expected = MeshCompiler.Compile(inputs);
        for (var seed = 0; seed < 5; seed++)
            Same(expected, MeshCompiler.Compile(Shuffled(inputs, new Random(seed))));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Each_object_may_go_and_come_back_and_what_is_kept_is_what_a_new_compiler_would_make(string name)
    {
        var all = Inputs(name);
        var snapshot = MeshCompiler.Compile(all);
        foreach (var without in Removals(all))
        {
            var less = MeshCompiler.Compile(without, snapshot);
            Same(MeshCompiler.Compile(without), less);
            Same(snapshot, MeshCompiler.Compile(all, less));
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Objects_may_come_in_any_order_and_what_is_made_of_them_is_what_a_new_compiler_would_make(string name)
    {
        var (random, states) = (new Random(7), new List<MeshInputs> { Inputs(name) });
        while (Removals(states[^1]).ToList() is { Count: > 0 } fewer)
            states.Add(fewer[random.Next(fewer.Count)]);
        MeshSnapshot? snapshot = null;
        foreach (var state in states.AsEnumerable().Reverse())
        {
            snapshot = MeshCompiler.Compile(state, snapshot);
            Same(MeshCompiler.Compile(state), snapshot);
        }
    }

    [Fact]
    public void Nothing_is_compiled_again_when_nothing_has_changed()
    {
        var inputs = Inputs("world");
        var snapshot = MeshCompiler.Compile(inputs);
        Assert.True(snapshot.Compiled > 20);
        Assert.Equal(0, MeshCompiler.Compile(Shuffled(inputs, new Random(1)), snapshot).Compiled);
    }

    [Fact]
    public void Other_settings_compile_everything_again()
    {
        var inputs = Inputs("world");
        var snapshot = MeshCompiler.Compile(inputs);
        var other = inputs with { Settings = inputs.Settings with { TrustDomain = "other" } };
        var next = MeshCompiler.Compile(other, snapshot);
        Same(MeshCompiler.Compile(other), next);
        Assert.Equal(snapshot.Compiled, next.Compiled);
    }

    [Fact]
    public void A_slice_is_one_unit() => Changes(inputs => inputs with
    {
        Slices = Replace(inputs.Slices, slice => slice.Metadata.Name == "web-a", slice => slice with { Endpoints = [.. slice.Endpoints, new Endpoint { Addresses = ["10.244.7.7"] }] }),
    }, jobs: 1, "Backends/slice/shop/web-a");

    [Fact]
    public void A_pod_is_its_workload_and_the_slices_that_name_it() => Changes(inputs => inputs with
    {
        Workloads = Replace(inputs.Workloads, pod => pod.Name == "reviews-1", pod => pod with { Labels = new ValueMap([new("app", "reviews"), new("version", "v9")]) }),
    }, jobs: 2, "Backends/slice/shop/reviews-a", "Workload/shop/reviews-1");

    [Fact]
    public void A_pod_that_only_became_ready_is_nothing() => Changes(inputs => inputs with { Workloads = Replace(inputs.Workloads, _ => true, pod => pod with { }) }, jobs: 0);

    [Fact]
    public void A_virtual_service_is_the_routes_of_its_host() => Changes(inputs => inputs with { VirtualServices = [Rules("web")] }, jobs: 3, "Routes/web.shop.svc.cluster.local:80");

    [Fact]
    public void A_destination_rule_is_the_clusters_of_its_host() => Changes(inputs => inputs with
    {
        DestinationRules = [new() { Metadata = Named("reviews"), Spec = new() { Host = "reviews", TrafficPolicy = new() { LoadBalancer = new() { Simple = "RANDOM" } } } }],
    }, jobs: 3, "Cluster/reviews.shop.svc.cluster.local:9080");

    [Fact]
    public void A_policy_is_itself_and_those_whom_it_is_for() => Changes(inputs => inputs with
    {
        AuthorizationPolicies = [new() { Metadata = Named("deny"), Spec = new() { Selector = new() { MatchLabels = new Dictionary<string, string> { ["app"] = "web" } }, Action = "DENY", Rules = [new()] } }],
    }, jobs: null, "Policy/shop/deny", "Workload/shop/web-1");

    [Fact]
    public void A_service_that_comes_is_what_is_its_own() => Changes(inputs => inputs with
    {
        Services = inputs.Services.Add(new() { Metadata = Named("new"), Spec = new() { ClusterIP = "10.96.8.8", Ports = [new() { Name = "http", Port = 80 }] } }),
    }, jobs: 3, "Cluster/new.shop.svc.cluster.local:80", "Destination/new.shop.svc.cluster.local", "Routes/new.shop.svc.cluster.local:80");

    [Fact]
    public void A_rule_whose_destination_comes_is_compiled_again()
    {
        var before = Inputs("world") with { VirtualServices = [Rules("web", to: "late")] };
        var snapshot = MeshCompiler.Compile(before);
        Assert.Contains(snapshot.Diagnostics, problem => problem.Message.Contains("late", StringComparison.Ordinal));
        var after = before with { Services = before.Services.Add(new() { Metadata = Named("late"), Spec = new() { ClusterIP = "10.96.8.9", Ports = [new() { Port = 80 }] } }) };
        var next = MeshCompiler.Compile(after, snapshot);
        Assert.Empty(next.Diagnostics);
        Same(MeshCompiler.Compile(after), next);
    }

    [Fact]
    public void At_the_front_door_a_host_is_a_unit()
    {
        var door = new Istio.Gateway { Metadata = Named("door"), Spec = new() { Servers = [new() { Port = new() { Number = 80, Protocol = "HTTP" }, Hosts = ["*"] }] } };
        var before = Inputs("world") with { Gateways = [door], VirtualServices = [.. Enumerable.Range(0, 20).Select(i => At($"h{i}.example", "web"))] };
        var after = before with { VirtualServices = before.VirtualServices.SetItem(3, At("h3.example", "reviews")) };
        var snapshot = MeshCompiler.Compile(before);
        var next = MeshCompiler.Compile(after, snapshot);
        Same(MeshCompiler.Compile(after), next);
        Assert.Equal(["Routes/gateway/80/h3.example"], next.Units.Except(snapshot.Units).Select(unit => unit.Key.ToString()));
        Assert.Equal(2, next.Compiled); // the object by itself, and its host

        static Istio.VirtualService At(string host, string to) => new()
        {
            Metadata = Named(host), Spec = new() { Hosts = [host], Gateways = ["door"], Http = [new() { Route = [new() { Destination = new() { Host = to } }] }] },
        };
    }

    [Fact]
    public void An_ingress_is_the_hosts_that_it_names()
    {
        var before = Inputs("world") with { Ingresses = [.. Enumerable.Range(0, 20).Select(i => At($"h{i}.example", 80))] };
        var after = before with { Ingresses = before.Ingresses.SetItem(3, At("h3.example", 81)) };
        var snapshot = MeshCompiler.Compile(before);
        var next = MeshCompiler.Compile(after, snapshot);
        Same(MeshCompiler.Compile(after), next);
        Assert.Equal(["Routes/gateway/80/h3.example"], next.Units.Except(snapshot.Units).Select(unit => unit.Key.ToString()));
        Assert.Equal(4, next.Compiled); // the object by itself, its host, and the ports 80 and 443, which stay as they are

        static Weft.Api.Networking.Ingress At(string host, int port) => new()
        {
            Metadata = Named(host), Spec = new() { Rules = [new() { Host = host, Http = new() { Paths = [new() { Path = "/", PathType = "Prefix", Backend = new() { Service = new() { Name = "web", Port = new() { Number = port } } } }] } }] },
        };
    }

    /// <summary>Hosts that several virtual services and Ingresses share, some with a gateway that redirects, as objects come, change and go in any order.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Hosts_of_the_front_door_are_what_a_new_compiler_would_make_of_them(int seed)
    {
        var random = new Random(seed);
        var inputs = Inputs("world");
        var snapshot = MeshCompiler.Compile(inputs);
        for (var step = 0; step < 150; step++)
        {
            for (var i = random.Next(1, 4); i > 0; i--)
                inputs = Changed(inputs, random);
            var next = MeshCompiler.Compile(inputs, snapshot);
            var whole = MeshCompiler.Compile(inputs);
            Same(whole, next);
            Assert.Equal(next.Units.Except(snapshot.Units), next.Changes.Values.OfType<ConfigUnit>().Except(snapshot.Units).OrderBy(unit => next.Units.IndexOf(unit)));
            Assert.All(snapshot.Units.Where(unit => !next.Units.Any(other => other.Key == unit.Key)), unit => Assert.Null(next.Changes[unit.Key]));
            // Also of one that is not the last.
            if (random.Next(4) > 0)
                snapshot = next;
        }
    }

    private static MeshInputs Changed(MeshInputs inputs, Random random)
    {
        var meta = new ObjectMeta { Name = $"o{random.Next(6)}", Namespace = random.Next(2) == 0 ? "shop" : "other", CreationTimestamp = DateTimeOffset.UnixEpoch.AddDays(random.Next(3)) };
        IReadOnlyList<string> hosts = [.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => new[] { "a.example", "b.example", "*.example", "c.example" }[random.Next(4)]).Distinct()];
        var comes = random.Next(3) > 0;
        bool IsOther(IObject value) => value.Metadata.Name != meta.Name || value.Metadata.Namespace != meta.Namespace;
        return random.Next(5) switch
        {
            0 => inputs with { Gateways = [.. inputs.Gateways.Where(IsOther), .. comes ? [new Istio.Gateway { Metadata = meta, Spec = new() { Servers = [new() { Port = new() { Number = random.Next(80, 82), Protocol = "HTTP" }, Hosts = [.. hosts], Tls = random.Next(4) == 0 ? new() { HttpsRedirect = true } : null }] } }] : Array.Empty<Istio.Gateway>()] },
            1 or 2 => inputs with
            {
                VirtualServices = [.. inputs.VirtualServices.Where(IsOther), .. comes ? [new Istio.VirtualService
                {
                    Metadata = meta, Spec = new() { Hosts = [.. hosts], Gateways = [random.Next(8) == 0 ? "mesh" : $"shop/o{random.Next(6)}", $"other/o{random.Next(6)}"], Http = [new() { Route = [new() { Destination = new() { Host = "web.shop.svc.cluster.local" } }] }] },
                }] : Array.Empty<Istio.VirtualService>()],
            },
            _ => inputs with
            {
                Ingresses = [.. inputs.Ingresses.Where(IsOther), .. comes ? [new Weft.Api.Networking.Ingress
                {
                    Metadata = meta,
                    Spec = new()
                    {
                        DefaultBackend = random.Next(6) == 0 ? new() { Service = new() { Name = "web", Port = new() { Number = 80 } } } : null,
                        Rules = [.. hosts.Select(host => new Weft.Api.Networking.IngressRule { Host = host, Http = new() { Paths = [new() { Path = $"/{random.Next(3)}", PathType = "Prefix", Backend = new() { Service = new() { Name = "web", Port = new() { Number = 80 } } } }] } })],
                    },
                }] : Array.Empty<Weft.Api.Networking.Ingress>()],
            },
        };
    }

    private static void Changes(Func<MeshInputs, MeshInputs> change, int? jobs, params string[] keys)
    {
        var inputs = Inputs("world");
        var snapshot = MeshCompiler.Compile(inputs);
        var changed = change(inputs);
        var next = MeshCompiler.Compile(changed, snapshot);
        Same(MeshCompiler.Compile(changed), next);
        Assert.Equal(keys, next.Units.Except(snapshot.Units).Concat(snapshot.Units.Except(next.Units)).Select(unit => unit.Key.ToString()).Distinct().Order(StringComparer.Ordinal));
        if (jobs is not null)
            Assert.Equal(jobs, next.Compiled);
    }

    private static ObjectMeta Named(string name) => new() { Name = name, Namespace = "shop" };

    private static Istio.VirtualService Rules(string host, string? to = null) => new()
    {
        Metadata = Named(host), Spec = new() { Hosts = [host], Http = [new() { Timeout = "1s", Route = [new() { Destination = new() { Host = to ?? host } }] }] },
    };

    private static MeshInputs Inputs(string name)
    {
        var world = Path.Combine(MeshCase.Folder(), "world.yaml");
        return (name == "world" ? MeshCase.Read(world) : MeshCase.Read(world, Path.Combine(MeshCase.Folder(), name + ".yaml"))).Inputs;
    }

    private static void Same(MeshSnapshot expected, MeshSnapshot actual)
    {
        Assert.Equal(expected.Units.Select(UnitText.Of), actual.Units.Select(UnitText.Of));
        Assert.Equal(expected.Diagnostics, actual.Diagnostics);
    }

    private static ImmutableArray<T> Replace<T>(ImmutableArray<T> items, Func<T, bool> which, Func<T, T> change) => [.. items.Select(item => which(item) ? change(item) : item)];

    private static MeshInputs Shuffled(MeshInputs inputs, Random random)
    {
        return new()
        {
            Settings = inputs.Settings, Services = Mix(inputs.Services), Slices = Mix(inputs.Slices), Workloads = Mix(inputs.Workloads), Nodes = Mix(inputs.Nodes), VirtualServices = Mix(inputs.VirtualServices),
            DestinationRules = Mix(inputs.DestinationRules), ServiceEntries = Mix(inputs.ServiceEntries), WorkloadEntries = Mix(inputs.WorkloadEntries), Gateways = Mix(inputs.Gateways),
            Sidecars = Mix(inputs.Sidecars), PeerAuthentications = Mix(inputs.PeerAuthentications), OldPolicies = Mix(inputs.OldPolicies),
            RequestAuthentications = Mix(inputs.RequestAuthentications), AuthorizationPolicies = Mix(inputs.AuthorizationPolicies), Telemetries = Mix(inputs.Telemetries),
            Ingresses = Mix(inputs.Ingresses), IngressClasses = Mix(inputs.IngressClasses), RateLimitPolicies = Mix(inputs.RateLimitPolicies), ApiKeyPolicies = Mix(inputs.ApiKeyPolicies),
            BasicAuthPolicies = Mix(inputs.BasicAuthPolicies), JwtPolicies = Mix(inputs.JwtPolicies), Secrets = Mix(inputs.Secrets),
        };

        ImmutableArray<T> Mix<T>(ImmutableArray<T> items)
        {
            var copy = items.ToArray();
            random.Shuffle(copy);
            return [.. copy];
        }
    }

    private static IEnumerable<MeshInputs> Removals(MeshInputs all)
    {
        foreach (var item in all.Services) yield return all with { Services = all.Services.Remove(item) };
        foreach (var item in all.Slices) yield return all with { Slices = all.Slices.Remove(item) };
        foreach (var item in all.Nodes) yield return all with { Nodes = all.Nodes.Remove(item) };
        foreach (var item in all.Workloads) yield return all with { Workloads = all.Workloads.Remove(item) };
        foreach (var item in all.VirtualServices) yield return all with { VirtualServices = all.VirtualServices.Remove(item) };
        foreach (var item in all.DestinationRules) yield return all with { DestinationRules = all.DestinationRules.Remove(item) };
        foreach (var item in all.ServiceEntries) yield return all with { ServiceEntries = all.ServiceEntries.Remove(item) };
        foreach (var item in all.WorkloadEntries) yield return all with { WorkloadEntries = all.WorkloadEntries.Remove(item) };
        foreach (var item in all.Gateways) yield return all with { Gateways = all.Gateways.Remove(item) };
        foreach (var item in all.Sidecars) yield return all with { Sidecars = all.Sidecars.Remove(item) };
        foreach (var item in all.PeerAuthentications) yield return all with { PeerAuthentications = all.PeerAuthentications.Remove(item) };
        foreach (var item in all.OldPolicies) yield return all with { OldPolicies = all.OldPolicies.Remove(item) };
        foreach (var item in all.RequestAuthentications) yield return all with { RequestAuthentications = all.RequestAuthentications.Remove(item) };
        foreach (var item in all.AuthorizationPolicies) yield return all with { AuthorizationPolicies = all.AuthorizationPolicies.Remove(item) };
        foreach (var item in all.Telemetries) yield return all with { Telemetries = all.Telemetries.Remove(item) };
        foreach (var item in all.Ingresses) yield return all with { Ingresses = all.Ingresses.Remove(item) };
        foreach (var item in all.IngressClasses) yield return all with { IngressClasses = all.IngressClasses.Remove(item) };
        foreach (var item in all.RateLimitPolicies) yield return all with { RateLimitPolicies = all.RateLimitPolicies.Remove(item) };
        foreach (var item in all.ApiKeyPolicies) yield return all with { ApiKeyPolicies = all.ApiKeyPolicies.Remove(item) };
        foreach (var item in all.BasicAuthPolicies) yield return all with { BasicAuthPolicies = all.BasicAuthPolicies.Remove(item) };
        foreach (var item in all.JwtPolicies) yield return all with { JwtPolicies = all.JwtPolicies.Remove(item) };
        foreach (var item in all.Secrets) yield return all with { Secrets = all.Secrets.Remove(item) };
    }
}
