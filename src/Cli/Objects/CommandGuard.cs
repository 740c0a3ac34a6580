using Weft.Client;

namespace Weft.Cli.Objects;

/// <summary>What can go wrong for a user is one sentence, not a stack trace.</summary>
internal static class CommandGuard
{
    internal static async Task<int> RunAsync(string command, Func<Task<int>> run)
    {
        try
        {
            return await run();
        }
        catch (Exception expected) when (expected is CommandException or ApiStatusException or KubeconfigException)
        {
            Console.Error.WriteLine($"weft {command}: {expected.Message}");
        }
        catch (HttpRequestException unreachable)
        {
            Console.Error.WriteLine($"weft {command}: the API server does not answer ({unreachable.Message}); is the cluster up? (weft status)");
        }

        return 1;
    }
}
