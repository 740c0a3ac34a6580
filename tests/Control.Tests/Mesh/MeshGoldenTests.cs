using Weft.Control.Mesh;
using Weft.Proxy.Config.Units;
using Weft.Proxy.Configuration.Validation;
using Weft.Proxy.Runtime;

namespace Weft.Control.Tests.Mesh;

/// <summary>
/// Manifests in, units and diagnostics out. `world.yaml` is the cluster that a case stands in, and a golden shows what the case changes there. To accept a change on
/// purpose: run once with WEFT_ACCEPT_GOLDENS=1 and read the diff.
/// </summary>
public sealed class MeshGoldenTests
{
    private const string World = "world";

    public static TheoryData<string> Cases => [.. Directory.GetFiles(MeshCase.Folder(), "*.yaml").Select(file => Path.GetFileNameWithoutExtension(file)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Manifests_become_the_units_of_their_golden(string name)
    {
        var (snapshot, errors) = Compile(name);
        var actual = UnitText.Of(snapshot, errors, name == World ? null : Compile(World).Snapshot);
        var file = Path.Combine(MeshCase.Folder(), name + ".txt");
        if (Environment.GetEnvironmentVariable("WEFT_ACCEPT_GOLDENS") == "1")
            File.WriteAllText(file, actual);
        Assert.True(File.Exists(file), $"{name} has no golden: run once with WEFT_ACCEPT_GOLDENS=1");
        Assert.Equal(File.ReadAllText(file), actual, ignoreLineEndingDifferences: true);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_engine_takes_what_is_compiled_however_wrong_the_manifests_are(string name)
    {
        var config = Assembled.Of(Compile(name).Snapshot.Units);
        Assert.Empty(ConfigValidator.Validate(config));
        Assert.Empty(Unsupported.Of(config));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Each_unit_reads_back_as_it_was_written(string name)
    {
        foreach (var unit in Compile(name).Snapshot.Units)
        {
            object again = UnitCodec.Read(unit) switch
            {
                DestinationUnit read => UnitCodec.Destination(unit.Key.Name, read),
                Proxy.Config.Model.RouteTableConfig read => UnitCodec.Routes(read, unit.Key.Name == read.Name ? null : unit.Key.Name[(read.Name.Length + 1)..]),
                ClusterUnit read => UnitCodec.Cluster(read),
                BackendsUnit read => UnitCodec.Backends(unit.Key.Name, read),
                WorkloadUnit read => UnitCodec.Workload(unit.Key.Name, read),
                PolicyUnit read => UnitCodec.Policy(unit.Key.Name, read),
                TokensUnit read => UnitCodec.Tokens(unit.Key.Name, read),
                ListenerUnit read => UnitCodec.Listener(read),
                NodeUnit read => UnitCodec.Node(unit.Key.Name, read),
                TelemetryUnit read => UnitCodec.Telemetry(read),
                var other => other,
            };
            Assert.Equal(unit, again);
        }
    }

    [Fact]
    public void Every_golden_belongs_to_a_case()
    {
        var known = Cases.Select(row => row.Data).ToHashSet();
        Assert.All(Directory.GetFiles(MeshCase.Folder(), "*.txt"), file => Assert.Contains(Path.GetFileNameWithoutExtension(file), known));
    }

    private static (MeshSnapshot Snapshot, IReadOnlyList<string> Errors) Compile(string name)
    {
        var world = Path.Combine(MeshCase.Folder(), World + ".yaml");
        var read = name == World ? MeshCase.Read(world) : MeshCase.Read(world, Path.Combine(MeshCase.Folder(), name + ".yaml"));
        return (MeshCompiler.Compile(read.Inputs), read.SchemaErrors);
    }
}
