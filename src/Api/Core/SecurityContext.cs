using Weft.Api.Schemas;

namespace Weft.Api.Core;

/// <summary>Rights and identities for all containers of a pod.</summary>
[Definition("io.k8s.api.core.v1.PodSecurityContext")]
public sealed record PodSecurityContext
{
    /// <summary>SELinux label.</summary>
    public SELinuxOptions? SeLinuxOptions { get; init; }

    /// <summary>Settings for Windows.</summary>
    public WindowsSecurityContextOptions? WindowsOptions { get; init; }

    /// <summary>User id of the first process.</summary>
    public long? RunAsUser { get; init; }

    /// <summary>Primary group id of the first process.</summary>
    public long? RunAsGroup { get; init; }

    /// <summary>Refuse to start as user 0.</summary>
    public bool? RunAsNonRoot { get; init; }

    /// <summary>Further group ids.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<long> SupplementalGroups { get; init; } = [];

    /// <summary>Whether groups of the image's user count too.</summary>
    [OneOf("Merge", "Strict")] public string? SupplementalGroupsPolicy { get; init; }

    /// <summary>Group that owns the volumes.</summary>
    public long? FsGroup { get; init; }

    /// <summary>Kernel parameters of the pod's namespaces.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<Sysctl> Sysctls { get; init; } = [];

    /// <summary>When ownership of a volume is changed.</summary>
    [OneOf("Always", "OnRootMismatch")] public string? FsGroupChangePolicy { get; init; }

    /// <summary>System call filter.</summary>
    public SeccompProfile? SeccompProfile { get; init; }

    /// <summary>AppArmor profile.</summary>
    public AppArmorProfile? AppArmorProfile { get; init; }

    /// <summary>How volumes get the SELinux label.</summary>
    public string? SeLinuxChangePolicy { get; init; }
}

/// <summary>Rights and identity of one container; wins over the pod's.</summary>
[Definition("io.k8s.api.core.v1.SecurityContext")]
public sealed record SecurityContext
{
    /// <summary>Capabilities added and dropped.</summary>
    public Capabilities? Capabilities { get; init; }

    /// <summary>Run with all rights of the node.</summary>
    public bool? Privileged { get; init; }

    /// <summary>SELinux label.</summary>
    public SELinuxOptions? SeLinuxOptions { get; init; }

    /// <summary>Settings for Windows.</summary>
    public WindowsSecurityContextOptions? WindowsOptions { get; init; }

    /// <summary>User id of the first process.</summary>
    public long? RunAsUser { get; init; }

    /// <summary>Primary group id of the first process.</summary>
    public long? RunAsGroup { get; init; }

    /// <summary>Refuse to start as user 0.</summary>
    public bool? RunAsNonRoot { get; init; }

    /// <summary>Make the root file system read-only.</summary>
    public bool? ReadOnlyRootFilesystem { get; init; }

    /// <summary>Whether a process can gain more rights than its parent.</summary>
    public bool? AllowPrivilegeEscalation { get; init; }

    /// <summary>How /proc is mounted.</summary>
    [OneOf("Default", "Unmasked")] public string? ProcMount { get; init; }

    /// <summary>System call filter.</summary>
    public SeccompProfile? SeccompProfile { get; init; }

    /// <summary>AppArmor profile.</summary>
    public AppArmorProfile? AppArmorProfile { get; init; }
}

/// <summary>Linux capabilities.</summary>
[Definition("io.k8s.api.core.v1.Capabilities")]
public sealed record Capabilities
{
    /// <summary>Capabilities to add.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<string> Add { get; init; } = [];

    /// <summary>Capabilities to drop.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<string> Drop { get; init; } = [];
}

/// <summary>An SELinux label.</summary>
[Definition("io.k8s.api.core.v1.SELinuxOptions")]
public sealed record SELinuxOptions
{
    /// <summary>User part.</summary>
    public string? User { get; init; }

    /// <summary>Role part.</summary>
    public string? Role { get; init; }

    /// <summary>Type part.</summary>
    public string? Type { get; init; }

    /// <summary>Level part.</summary>
    public string? Level { get; init; }
}

/// <summary>Settings for Windows.</summary>
[Definition("io.k8s.api.core.v1.WindowsSecurityContextOptions")]
public sealed record WindowsSecurityContextOptions
{
    /// <summary>Name of the credential spec.</summary>
    public string? GmsaCredentialSpecName { get; init; }

    /// <summary>Content of the credential spec.</summary>
    public string? GmsaCredentialSpec { get; init; }

    /// <summary>User of the first process.</summary>
    public string? RunAsUserName { get; init; }

    /// <summary>Run as a process of the host.</summary>
    public bool? HostProcess { get; init; }
}

/// <summary>A system call filter.</summary>
[Definition("io.k8s.api.core.v1.SeccompProfile")]
public sealed record SeccompProfile
{
    /// <summary>Which profile.</summary>
    [Must, OneOf("Localhost", "RuntimeDefault", "Unconfined")] public string Type { get; init; } = "";

    /// <summary>File of the profile, for Localhost.</summary>
    public string? LocalhostProfile { get; init; }
}

/// <summary>An AppArmor profile.</summary>
[Definition("io.k8s.api.core.v1.AppArmorProfile")]
public sealed record AppArmorProfile
{
    /// <summary>Which profile.</summary>
    [Must, OneOf("Localhost", "RuntimeDefault", "Unconfined")] public string Type { get; init; } = "";

    /// <summary>Name of the loaded profile, for Localhost.</summary>
    public string? LocalhostProfile { get; init; }
}

/// <summary>A kernel parameter.</summary>
[Definition("io.k8s.api.core.v1.Sysctl")]
public sealed record Sysctl
{
    /// <summary>Name of the parameter.</summary>
    [Must] public string Name { get; init; } = "";

    /// <summary>Its value.</summary>
    [Must] public string Value { get; init; } = "";
}
