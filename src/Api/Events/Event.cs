using Weft.Api.Core;
using Weft.Api.Schemas;

namespace Weft.Api.Events;

/// <summary>Something that happened to an object.</summary>
[Kind("events.k8s.io", "v1", "Event", ShortNames = ["ev"], DefinitionPrefix = "io.k8s.api.events.v1")]
public sealed record Event : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>When it happened.</summary>
    [Must] public MicroTime? EventTime { get; init; }

    /// <summary>A row of equal events.</summary>
    public EventSeries? Series { get; init; }

    /// <summary>Controller that reports it.</summary>
    public string? ReportingController { get; init; }

    /// <summary>Instance of the controller.</summary>
    public string? ReportingInstance { get; init; }

    /// <summary>What was done.</summary>
    public string? Action { get; init; }

    /// <summary>One word.</summary>
    public string? Reason { get; init; }

    /// <summary>The object.</summary>
    public ObjectReference? Regarding { get; init; }

    /// <summary>A second object.</summary>
    public ObjectReference? Related { get; init; }

    /// <summary>For people.</summary>
    public string? Note { get; init; }

    /// <summary>Normal or Warning.</summary>
    public string? Type { get; init; }

    /// <summary>Of the core form of the event.</summary>
    public EventSource? DeprecatedSource { get; init; }

    /// <summary>Of the core form of the event.</summary>
    public DateTimeOffset? DeprecatedFirstTimestamp { get; init; }

    /// <summary>Of the core form of the event.</summary>
    public DateTimeOffset? DeprecatedLastTimestamp { get; init; }

    /// <summary>Of the core form of the event.</summary>
    public int? DeprecatedCount { get; init; }
}

/// <summary>A row of equal events.</summary>
[Definition("io.k8s.api.events.v1.EventSeries")]
public sealed record EventSeries
{
    /// <summary>How many.</summary>
    [Must] public int Count { get; init; }

    /// <summary>The last of them.</summary>
    [Must] public MicroTime? LastObservedTime { get; init; }
}
