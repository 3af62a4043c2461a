// Package people knows what people say of themselves (a line, tags, a picture,
// do not disturb) and of each other (favourites, blocks).
//
// It is a room beside account, which is about who may come in: this one is
// about who is seen, and is asked by the goroutines that set up calls and
// deliver texts. [Service] therefore has everybody in memory and answers at
// once, never from the database. It follows the database by a number that
// grows with each change of anybody, so that changes by other processes (the
// user command, other servers of a cluster) arrive too.
package people
