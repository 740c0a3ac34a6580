using System.Collections.Immutable;
using System.CommandLine;
using Weft.Api.Shutdown;
using Weft.Cli.Objects;

namespace Weft.Cli.Clusters;

/// <summary>`weft down --graceful` and how its time is shared out.</summary>
internal sealed class GracefulOptions
{
    // The example of Kubernetes' own documentation; the kubelet's default is none, because there the setting is also the switch.
    private const int DefaultGrace = 30, DefaultCriticalGrace = 10;

    private readonly Option<bool> _graceful = new("--graceful") { Description = "End the pods first, each with its grace, lower priorities before higher ones: for a machine that shuts down" };
    private readonly Option<int> _grace = new("--grace") { Description = "Seconds that all pods have together", DefaultValueFactory = _ => DefaultGrace };
    private readonly Option<int> _critical = new("--critical-grace") { Description = "Seconds of these, at the end, that are for critical pods alone", DefaultValueFactory = _ => DefaultCriticalGrace };
    private readonly Option<string?> _byPriority = new("--grace-by-priority") { Description = "PRIORITY=SECONDS,...: pods of at least this priority end together, one group after the other; instead of the two above" };

    public IEnumerable<Option> All => [_graceful, _grace, _critical, _byPriority];

    /// <returns>Null: the pods are not asked.</returns>
    /// <exception cref="CommandException">What was given makes no sense.</exception>
    public ImmutableArray<PriorityPeriod>? Read(ParseResult parsed)
    {
        if (!parsed.GetValue(_graceful))
            return null;
        if (parsed.GetValue(_byPriority) is { } text)
            return ShutdownPeriods.Parse(text) ?? throw new CommandException($"--grace-by-priority '{text}' is not PRIORITY=SECONDS,... with each priority once");
        return ShutdownPeriods.Of(TimeSpan.FromSeconds(parsed.GetValue(_grace)), TimeSpan.FromSeconds(parsed.GetValue(_critical)))
            ?? throw new CommandException("--critical-grace is a part of --grace: it cannot be longer, and neither is negative");
    }
}
