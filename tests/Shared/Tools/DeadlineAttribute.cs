namespace MeshTrust.Tests.Tools;

/// <summary>How long a test and each of its SetUp and TearDown may take, instead of the five minutes of <see cref="EndsInTimeAttribute"/>.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
internal sealed class DeadlineAttribute(int seconds) : PropertyAttribute(Name, seconds)
{
    public const string Name = "Deadline";
    public const int Default = 5 * 60;

    /// <summary>For tests that create kind clusters in sequence.</summary>
    public const int Kind = 40 * 60;
}
