namespace Cake.Frosting;

/// <summary>Says what a task does, for <c>--description</c>.</summary>
/// <param name="description">The description.</param>
[AttributeUsage(AttributeTargets.Class)]
public sealed class TaskDescriptionAttribute(string description) : Attribute
{
    /// <summary>The description.</summary>
    public string Description { get; } = description ?? throw new ArgumentNullException(nameof(description));
}
