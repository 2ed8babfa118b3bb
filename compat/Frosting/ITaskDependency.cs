namespace Cake.Frosting;

/// <summary>An attribute that names a task which must run before.</summary>
internal interface ITaskDependency
{
    Type Task { get; }
}
