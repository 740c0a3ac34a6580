using Weft.Cli.Clusters;
using Weft.Client;

namespace Weft.Cli.Objects;

/// <summary>Which cluster an object command talks to: the named Weft cluster where its kubeconfig may be read, else the caller's current context.</summary>
public static class ClusterConnection
{
    public static ClusterAccess Find(ClusterPaths paths)
    {
        if (MayRead(paths.Kubeconfig))
            return Kubeconfig.Load(paths.Kubeconfig, null, "").Access();
        if (paths.Name != ClusterPaths.DefaultName && !File.Exists(paths.Kubeconfig))
            throw new CommandException($"there is no cluster '{paths.Name}' in {paths.DataDir}, or its kubeconfig is for root alone (sudo weft status --name {paths.Name})");
        return Kubeconfig.Load(null, Environment.GetEnvironmentVariable("KUBECONFIG"), Environment.GetFolderPath(Environment.SpecialFolder.UserProfile)).Access();
    }

    private static bool MayRead(string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            return true;
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
