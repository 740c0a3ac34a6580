using System.Text.Json;
using Weft.Api.Trees;
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
        catch (Exception broken) when (broken is InvalidDataException or TreeException or JsonException or UnauthorizedAccessException)
        {
            // A settings file or kubeconfig that cannot be used; the messages name the file.
            Console.Error.WriteLine($"weft {command}: {broken.Message}{(broken is UnauthorizedAccessException ? " (run it with sudo)" : "")}");
        }
        catch (HttpRequestException unreachable)
        {
            Console.Error.WriteLine($"weft {command}: the API server does not answer ({unreachable.Message}); is the cluster up? (weft status)");
        }

        return 1;
    }
}
