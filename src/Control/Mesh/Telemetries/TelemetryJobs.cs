using Weft.Control.Mesh.Inputs;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;

namespace Weft.Control.Mesh.Telemetries;

/// <summary>What is the same for all workloads. Each workload's own part is in its unit.</summary>
internal static class TelemetryJobs
{
    private static readonly object Everything = new();

    public static IEnumerable<Job> Of(MeshIndex index)
    {
        yield return new("telemetry", Everything, (lookups, _) => Common(lookups));
        foreach (var telemetry in MeshIndex.Ordered(index.Inputs.Telemetries))
            yield return new($"telemetry {MeshIndex.Name(telemetry)}", telemetry, (lookups, problems) => { TelemetryCheck.Check(telemetry, lookups, problems); return []; });
    }

    private static IEnumerable<ConfigUnit> Common(MeshLookups lookups)
    {
        var unit = new TelemetryUnit
        {
            Collectors = lookups.Settings.Telemetry.Providers.Select(provider => provider.Collector).OfType<CollectorConfig>().ToValueList(),
            Door = TelemetryReader.Of(lookups.Settings.FrontDoorNamespace, lookups.Settings.FrontDoorLabels, lookups),
        };
        return unit == new TelemetryUnit() ? [] : [UnitCodec.Telemetry(unit)];
    }
}
