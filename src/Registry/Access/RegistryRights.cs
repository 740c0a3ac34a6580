namespace Weft.Registry.Access;

/// <summary>What a caller may do. Each includes the one before.</summary>
public enum RegistryRights
{
    None,
    Pull,
    Push,
}
