namespace Cake.Frosting;

/// <summary>Names a task; without it the task has the name of its type. Names are one flat space in which case does not count.</summary>
/// <param name="name">The name.</param>
[AttributeUsage(AttributeTargets.Class)]
public sealed class TaskNameAttribute(string name) : Attribute
{
    /// <summary>The name.</summary>
    public string Name { get; } = name ?? throw new ArgumentNullException(nameof(name));
}
