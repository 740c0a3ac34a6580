namespace Weft.Api.Patches;

/// <summary>Malformed: 400. DoesNotApply: 422. TooLarge: 413.</summary>
public enum PatchFailure { Malformed, DoesNotApply, TooLarge }

/// <summary>A patch that is no patch, or does not fit the object. The message goes to the client as it is.</summary>
public sealed class PatchException(PatchFailure failure, string message) : Exception(message)
{
    public PatchFailure Failure => failure;
}
