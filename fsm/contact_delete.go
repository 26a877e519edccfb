package fsm

import (
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

func (r *run) contactDelete(c *fsmpb.ContactDelete) (*fsmpb.Result, error) {
	contact, err := r.ownContact(c.GetId())
	if err != nil {
		return nil, err
	}
	if err := requireDeletable(contact.Statuses); err != nil {
		return nil, err
	}
	if r.tx.ContactIsLinked(contact.ID) {
		if len(r.tx.ContactUsers(contact.ID, 1)) == 0 {
			return nil, refuse(registry.CodeAssociationForbids, "id", c.GetId(), "organisations name this contact; it cannot be deleted while linked (RFC 5733 section 3.2.2)")
		}
		return nil, refuse(registry.CodeAssociationForbids, "id", c.GetId(), "domains name this contact; it cannot be deleted while linked (RFC 5733 section 3.2.2)")
	}
	r.tx.DeleteContact(contact)
	return ok(), nil
}
