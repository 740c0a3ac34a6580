using Weft.Api;
using Weft.Control.Mesh;
using Weft.Control.Mesh.Diagnostics;
using Weft.Control.Mesh.Inputs;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;
using Istio = Weft.Api.Istio;

namespace Weft.Control.Tests.Mesh;

/// <summary>Objects that make the compiler itself fail, as lists that are null do: no other object is the worse for it.</summary>
public sealed class MeshFailureTests
{
    private static readonly MeshInputs World = MeshCase.Read(Path.Combine(MeshCase.Folder(), "world.yaml")).Inputs;

    [Fact]
    public void A_policy_that_cannot_be_compiled_refuses_everything()
    {
        var snapshot = MeshCompiler.Compile(World with { AuthorizationPolicies = [new() { Metadata = Named("bad"), Spec = new() { Rules = null! } }] });
        var policy = Assert.IsType<PolicyUnit>(UnitCodec.Read(snapshot.Units.Single(unit => unit.Key == new UnitKey(UnitKind.Policy, "shop/bad"))));
        Assert.Equal(new AuthorizationPolicyConfig { Name = "shop/bad", Action = AuthorizationAction.Deny, Rules = [new()] }, policy.Authorization);
        Told(snapshot, "AuthorizationPolicy", "what it is for is refused");
        Assert.Contains("shop/bad", Workload(snapshot).Policies);
        Assert.Equal(Keys(MeshCompiler.Compile(World)), Keys(snapshot).Where(key => key != "Policy/shop/bad"));
    }

    [Fact]
    public void Tokens_that_cannot_be_compiled_are_lacking_where_they_are_asked_for()
    {
        var good = new Istio.RequestAuthentication { Metadata = Named("bad"), Spec = new() { JwtRules = [new() { Issuer = "x", Jwks = """{"keys":[]}""" }] } };
        var before = MeshCompiler.Compile(World with { RequestAuthentications = [good] });
        Assert.Contains("Tokens/shop/bad", Keys(before));
        var inputs = World with { RequestAuthentications = [good with { Spec = new() { JwtRules = null! } }] };
        // A proxy that lacks what a workload names refuses.
        foreach (var snapshot in new[] { MeshCompiler.Compile(inputs), MeshCompiler.Compile(inputs, before) })
        {
            Assert.DoesNotContain("Tokens/shop/bad", Keys(snapshot));
            Assert.Contains("shop/bad", Workload(snapshot).Tokens);
            Told(snapshot, "RequestAuthentication", "what it is for is refused");
        }
    }

    [Fact]
    public void Of_anything_else_what_stood_before_stays()
    {
        var good = new Istio.ServiceEntry
        {
            Metadata = Named("bad"),
            Spec = new() { Hosts = ["vm.example"], Resolution = "STATIC", Ports = [new() { Number = 80, Name = "http" }], Endpoints = [new() { Address = "192.168.1.1" }] },
        };
        var before = MeshCompiler.Compile(World with { ServiceEntries = [good] });
        const string Backends = "Backends/entry/shop/bad/vm.example";
        Assert.Contains(Backends, Keys(before));
        var inputs = World with { ServiceEntries = [good with { Spec = good.Spec with { Endpoints = null! } }] };
        var next = MeshCompiler.Compile(inputs, before);
        Assert.Equal(before.Units, next.Units);
        Told(next, "ServiceEntry", "what stood before stays");
        var first = MeshCompiler.Compile(inputs);
        Assert.Equal(Keys(before).Where(key => key != Backends), Keys(first));
        Told(first, "ServiceEntry", "what stood before stays");
    }

    private static void Told(MeshSnapshot snapshot, string kind, string effect)
    {
        var told = Assert.Single(snapshot.Diagnostics.Where(told => told.Severity == Severity.Error));
        Assert.Equal(new ObjectRef(kind, "shop", "bad"), told.Object);
        Assert.EndsWith(effect, told.Message, StringComparison.Ordinal);
    }

    private static IEnumerable<string> Keys(MeshSnapshot snapshot) => snapshot.Units.Select(unit => unit.Key.ToString());

    private static WorkloadUnit Workload(MeshSnapshot snapshot) => (WorkloadUnit)UnitCodec.Read(snapshot.Units.Single(unit => unit.Key == new UnitKey(UnitKind.Workload, "shop/web-1")));

    private static ObjectMeta Named(string name) => new() { Name = name, Namespace = "shop" };
}
