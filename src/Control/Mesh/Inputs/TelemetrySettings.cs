using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;

namespace Weft.Control.Mesh.Inputs;

/// <summary>What Istio's mesh configuration says of telemetry, where no Telemetry says otherwise.</summary>
public sealed record TelemetrySettings
{
    /// <summary>Receivers of the mesh configuration (`extensionProviders`), beside `prometheus` and `envoy`, which are always there.</summary>
    public ValueList<TelemetryProvider> Providers { get; init; } = [];

    /// <summary>Name of the provider of spans (`defaultProviders.tracing`); null: no traces.</summary>
    public string? Tracing { get; init; }

    /// <summary>`defaultConfig.tracing.sampling`, in percent.</summary>
    public double Sampling { get; init; } = 1;

    /// <summary>False: `accessLogFile` is there and empty.</summary>
    public bool Logged { get; init; } = true;

    public TelemetryProvider? Find(string name) => Providers.FirstOrDefault(provider => provider.Name == name) ?? name switch
    {
        "prometheus" => new TelemetryProvider(name, ProviderKind.Metrics),
        "envoy" => new TelemetryProvider(name, ProviderKind.Log),
        _ => null,
    };
}

public enum ProviderKind { Spans, Metrics, Log, Other }

/// <param name="Why">Of a kind that is not done: what it is.</param>
public sealed record TelemetryProvider(string Name, ProviderKind Kind, CollectorConfig? Collector = null, string? Why = null);
