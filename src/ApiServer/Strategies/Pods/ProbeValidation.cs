using Weft.Api;

namespace Weft.ApiServer.Strategies.Pods;

/// <summary>Probes and lifecycle hooks.</summary>
internal static class ProbeValidation
{
    private static readonly string[] ProbeActions = ["exec", "httpGet", "tcpSocket", "grpc"];
    private static readonly string[] HookActions = ["exec", "httpGet", "tcpSocket", "sleep"];

    /// <summary>Liveness and startup probes: one success must do.</summary>
    public static IEnumerable<FieldError> Once(Field probe)
    {
        if (probe.Exists && probe["successThreshold"].Number is not (null or 1))
            yield return probe["successThreshold"].Invalid("must be 1");
        foreach (var error in Probe(probe))
            yield return error;
    }

    public static IEnumerable<FieldError> Readiness(Field probe)
    {
        if (probe["terminationGracePeriodSeconds"].Exists)
            yield return probe["terminationGracePeriodSeconds"].Invalid("must not be set for readinessProbes");
        foreach (var error in Probe(probe))
            yield return error;
    }

    public static IEnumerable<FieldError> Lifecycle(Field lifecycle) =>
        ((Field[])[lifecycle["postStart"], lifecycle["preStop"]]).Where(hook => hook.Exists)
            .SelectMany(hook => Rules.OneVariant(hook, HookActions, "handler type").Concat(Action(hook)));

    private static IEnumerable<FieldError> Probe(Field probe)
    {
        if (!probe.Exists)
            yield break;
        foreach (var error in Rules.OneVariant(probe, ProbeActions, "handler type").Concat(Action(probe)))
            yield return error;
        foreach (var name in (string[])["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"])
        {
            foreach (var error in Rules.AtLeastZero(probe[name]))
                yield return error;
        }
        if (probe["terminationGracePeriodSeconds"].Number <= 0)
            yield return probe["terminationGracePeriodSeconds"].Invalid("must be greater than 0");
    }

    private static IEnumerable<FieldError> Action(Field handler)
    {
        var exec = handler["exec"];
        if (exec.Exists && exec["command"].Count == 0)
            yield return exec["command"].Required();

        var get = handler["httpGet"];
        foreach (var error in Rules.Filled(get["path"]).Concat(Rules.PortNumberOrName(get["port"])).Concat(Rules.PortNumberOrName(handler["tcpSocket"]["port"]))
            .Concat(Rules.Port(handler["grpc"]["port"])))
            yield return error;
        foreach (var header in get["httpHeaders"].Items)
        {
            var name = header["name"];
            if (name.Text is { } text && (text.Length == 0 || text.Any(c => !char.IsAsciiLetterOrDigit(c) && c != '-')))
                yield return name.Invalid("a valid HTTP header must consist of letters, digits or '-' (such as 'X-Header-Name')");
        }
        if (handler["sleep"]["seconds"].Number < 0)
            yield return handler["sleep"]["seconds"].Invalid("must be non-negative");
    }
}
