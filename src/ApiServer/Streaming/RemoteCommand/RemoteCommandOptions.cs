using Microsoft.AspNetCore.Http;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Streaming.RemoteCommand;

/// <summary>Which streams an exec or attach asked for, as the query says.</summary>
internal sealed record RemoteCommandOptions(bool Input, bool Output, bool Error, bool Terminal)
{
    public static RemoteCommandOptions Read(IQueryCollection query)
    {
        var options = new RemoteCommandOptions(Flag(query, "stdin"), Flag(query, "stdout"), Flag(query, "stderr"), Flag(query, "tty"));
        if (options.Terminal && options.Error)
            throw Statuses.BadRequest("tty and stderr cannot both be true: with a terminal errors are written to stdout");
        if (!options.Input && !options.Output && !options.Error)
            throw Statuses.BadRequest("you must specify at least 1 of stdin, stdout, stderr");
        return options;
    }

    // Kubernetes reads a bare `?stdin` as true, and every text but "0" and "false".
    private static bool Flag(IQueryCollection query, string name) =>
        query.TryGetValue(name, out var values) && values.Count > 0 && !string.Equals(values[0], "false", StringComparison.OrdinalIgnoreCase) && values[0] != "0";
}
