namespace Cake.Frosting;

/// <summary>An attribute that names a task which must run after.</summary>
internal interface IReverseTaskDependency
{
    Type Task { get; }
}
