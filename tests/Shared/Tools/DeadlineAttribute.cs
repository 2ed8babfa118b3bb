namespace MeshTrust.Tests.Tools;

/// <summary>How long a test may take, and each SetUp and TearDown around it, where the five minutes of <see cref="EndsInTimeAttribute"/> do not suit it.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
internal sealed class DeadlineAttribute(int seconds) : PropertyAttribute(Name, seconds)
{
    public const string Name = "Deadline";
    public const int Default = 5 * 60;

    /// <summary>For tests that make kind clusters, one after another.</summary>
    public const int Kind = 40 * 60;
}
