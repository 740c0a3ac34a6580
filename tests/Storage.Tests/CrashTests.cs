namespace Weft.Storage.Tests;

public sealed class CrashTests
{
}
