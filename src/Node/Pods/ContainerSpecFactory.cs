using System.Globalization;
using System.Security.Cryptography;
using Weft.Api.Core;
using Weft.Api.Json;
using Weft.Node.Runtime;

namespace Weft.Node.Pods;

/// <summary>What a container spec is made from, beside the pod.</summary>
/// <param name="VolumePaths">Host directory (or file) of each volume by name.</param>
/// <param name="ServiceEnvironment">Where the API server is, as client libraries look for it.</param>
/// <param name="ProcessNamespaceOf">The container that an ephemeral one looks at.</param>
internal sealed record ContainerContext(
    NodeFacts Node, IReadOnlyList<string> PodIps, ReferencedObjects Objects, IReadOnlyDictionary<string, string> VolumePaths, PodDirectories Directories,
    IContainerPolicy Policy, ulong OwnCapabilities, IReadOnlyDictionary<string, string> ServiceEnvironment, Func<string, string, string> ResolveSubPath,
    string? ProcessNamespaceOf = null);

/// <summary>Turns a container of a pod into what the runtime runs.</summary>
internal static class ContainerSpecFactory
{
    /// <exception cref="ContainerConfigException">Why it cannot be run.</exception>
    public static ContainerSpec Create(Pod pod, Container container, int attempt, ContainerContext context)
    {
        var (uid, policy, security) = (pod.Metadata.Uid!, context.Policy, container.SecurityContext);
        policy.Check(pod, container);
        var user = policy.User(pod, container);
        var environment = ContainerEnvironment.Build(
            pod, container, context.Objects, context.PodIps, context.Node,
            [
                .. policy.Environment(pod, user),
                .. pod.Spec.EnableServiceLinks == false ? context.ServiceEnvironment.Where(v => v.Key.StartsWith("KUBERNETES_SERVICE_", StringComparison.Ordinal)) : context.ServiceEnvironment,
            ]);
        var lookup = environment.ToDictionary(v => v.Key, v => v.Value);
        var (command, args) = policy.Words(container, word => VariableExpansion.Expand(word, lookup.GetValueOrDefault));
        var privileged = security?.Privileged == true;
        var message = context.Directories.TerminationMessage(uid, container.Name, attempt);
        return new ContainerSpec
        {
            Name = container.Name,
            Attempt = attempt,
            SpecHash = Hash(container),
            Command = command,
            Args = args,
            ImageId = policy.ImageId,
            LogPath = context.Directories.Log(uid, container.Name, attempt),
            WorkingDirectory = container.WorkingDir,
            Environment = environment,
            Mounts = ContainerMounts.Of(pod, container, context, lookup, message),
            User = user,
            Capabilities = CapabilitySets.Of(security, policy.Capabilities(user), context.OwnCapabilities),
            NoNewPrivileges = policy.NoNewPrivileges(security),
            ReadOnlyRoot = security?.ReadOnlyRootFilesystem == true,
            DefaultSeccomp = !privileged && UsesDefaultSeccomp(pod, container, policy),
            UnmaskedProc = security?.ProcMount == "Unmasked",
            ProcessNamespaceOf = context.ProcessNamespaceOf,
            Privileged = privileged,
            Stdin = container.Stdin == true,
            StdinOnce = container.StdinOnce == true,
            Terminal = container.Tty == true,
            Limits = ContainerResources.Limits(container),
            OomScoreAdjust = ContainerResources.OomScore(pod, container, context.Node),
            StopSignal = Signal(container.Lifecycle?.StopSignal),
            TerminationMessageFile = message,
        };
    }

    private static bool UsesDefaultSeccomp(Pod pod, Container container, IContainerPolicy policy)
    {
        var profile = container.SecurityContext?.SeccompProfile ?? pod.Spec.SecurityContext?.SeccompProfile;
        // An unknown profile must not silently become none (CVE-2023-2431).
        return profile?.Type switch
        {
            null or "" => policy.SeccompByDefault,
            "Unconfined" => false,
            "RuntimeDefault" => true,
            _ => throw new ContainerConfigException($"container '{container.Name}' asks for seccomp profile '{profile.Type}' {profile.LocalhostProfile}: this node knows RuntimeDefault and Unconfined"),
        };
    }

    public static string Hash(Container container) => Convert.ToHexStringLower(SHA256.HashData(ApiJson.Serialize(container)))[..16];

    private static int Signal(string? name) => name switch
    {
        null or "" or "SIGTERM" => 15,
        "SIGHUP" => 1,
        "SIGINT" => 2,
        "SIGQUIT" => 3,
        "SIGKILL" => 9,
        "SIGUSR1" => 10,
        "SIGUSR2" => 12,
        "SIGWINCH" => 28,
        _ => int.TryParse(name, CultureInfo.InvariantCulture, out var number) && number is > 0 and < 65 ? number : 15,
    };
}
