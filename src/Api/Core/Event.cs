using Weft.Api.Schemas;

namespace Weft.Api.Core;

/// <summary>Something that happened to an object.</summary>
[Kind("", "v1", "Event", ShortNames = ["ev"], DefinitionPrefix = "io.k8s.api.core.v1")]
public sealed record Event : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>The object.</summary>
    [Must] public ObjectReference InvolvedObject { get; init; } = new();

    /// <summary>One word.</summary>
    public string? Reason { get; init; }

    /// <summary>For people.</summary>
    public string? Message { get; init; }

    /// <summary>Who reports it.</summary>
    public EventSource? Source { get; init; }

    /// <summary>First time it was seen.</summary>
    public DateTimeOffset? FirstTimestamp { get; init; }

    /// <summary>Last time it was seen.</summary>
    public DateTimeOffset? LastTimestamp { get; init; }

    /// <summary>How often it was seen.</summary>
    public int? Count { get; init; }

    /// <summary>Normal or Warning.</summary>
    public string? Type { get; init; }

    /// <summary>When it happened.</summary>
    public MicroTime? EventTime { get; init; }

    /// <summary>A row of equal events.</summary>
    public EventSeries? Series { get; init; }

    /// <summary>What was done.</summary>
    public string? Action { get; init; }

    /// <summary>A second object.</summary>
    public ObjectReference? Related { get; init; }

    /// <summary>Controller that reports it.</summary>
    public string? ReportingComponent { get; init; }

    /// <summary>Instance of the controller.</summary>
    public string? ReportingInstance { get; init; }
}

/// <summary>Who reports an event.</summary>
[Definition("io.k8s.api.core.v1.EventSource")]
public sealed record EventSource
{
    /// <summary>Component.</summary>
    public string? Component { get; init; }

    /// <summary>Node.</summary>
    public string? Host { get; init; }
}

/// <summary>A row of equal events.</summary>
[Definition("io.k8s.api.core.v1.EventSeries")]
public sealed record EventSeries
{
    /// <summary>How many.</summary>
    public int? Count { get; init; }

    /// <summary>The last of them.</summary>
    public MicroTime? LastObservedTime { get; init; }
}
